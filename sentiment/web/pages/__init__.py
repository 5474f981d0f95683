"""Our pages: (address, name, view). A view takes a Visit and gives a Response."""

from __future__ import annotations

from sentiment.web.pages import charts, login, overview, service

ROUTES = (
    ("/", "overview", overview.overview),
    ("/service", "service", service.service),
    (r"/chart/(?P<chart>sentiment|emotions|surveys)\.svg", "chart", charts.chart),
    ("/login", "login", login.login),
    ("/logout", "logout", login.logout),
)
