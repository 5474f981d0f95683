"""Our pages: (address, name, view). A view takes a Visit and gives a Response."""

from __future__ import annotations

from sentiment.web.pages import (
    alerts,
    charts,
    label,
    login,
    overview,
    portfolio,
    post,
    posts,
    service,
    sources,
)

ROUTES = (
    ("/", "overview", overview.overview),
    ("/service", "service", service.service),
    (r"/chart/(?P<chart>sentiment|emotions|surveys)\.svg", "chart", charts.chart),
    ("/posts", "posts", posts.explorer),
    (r"/posts\.csv", "posts.csv", posts.as_csv),
    ("/post", "post", post.post),
    ("/label", "label", label.correction),
    ("/alerts", "alerts", alerts.alerts),
    ("/alerts/acknowledge", "acknowledge", alerts.acknowledging),
    ("/alerts/silence", "silence", alerts.silencing),
    ("/alerts/unsilence", "unsilence", alerts.unsilencing),
    ("/sources", "sources", sources.sources),
    ("/portfolio", "portfolio", portfolio.portfolio),
    ("/login", "login", login.login),
    ("/logout", "logout", login.logout),
)
