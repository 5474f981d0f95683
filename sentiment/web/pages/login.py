"""Logging in and out."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from datasette.utils.asgi import Response

from sentiment.web import access

if TYPE_CHECKING:
    from sentiment.web.site import Visit


async def login(visit: Visit) -> Response:
    """Ask for name and password; a right one is remembered for `access.SESSION`."""
    door, request = visit.site.door, visit.request
    going_to = access.safe_path(visit.arguments.get("next", "/"))
    if request.method != "POST":
        return await visit.show("login.html", next=going_to, wrong=None)
    form = await request.post_vars()
    going_to = access.safe_path(form.get("next", "/"))
    name = form.get("name", "")[:100]
    peer = (request.scope.get("client") or ("",))[0]
    address = access.address_of(visit.site.config.web, request.headers, peer)
    if wait := door.knocks(name, address):
        said = visit.words.say("login_wait", minutes=-(-wait // 60))
        return await visit.show("login.html", 429, next=going_to, wrong=said)
    password = form.get("password", "")[:1000]
    if not await asyncio.to_thread(door.opens, name, password):
        said = visit.words.say("login_wrong")
        return await visit.show("login.html", 403, next=going_to, wrong=said)
    door.welcomes(name, address)
    response = Response.redirect(going_to)
    response.set_cookie(
        access.COOKIE,
        door.session(visit.site.datasette, name, time.time()),
        max_age=int(access.SESSION.total_seconds()),
    )
    return response


async def logout(visit: Visit) -> Response:
    """End the session; a form only, so that no link elsewhere does it."""
    if visit.request.method != "POST":
        return Response.redirect("/")
    response = Response.redirect("/")
    response.set_cookie(access.COOKIE, "", expires="Thu, 01 Jan 1970 00:00:00 GMT", max_age=0)
    return response
