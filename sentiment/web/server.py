"""The server: Datasette over the live database, read-only, with our pages and our door."""

from __future__ import annotations

import socket
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from sentiment.database import open_database
from sentiment.privacy import random_key
from sentiment.web import metadata, plugin
from sentiment.web.site import Site

if TYPE_CHECKING:
    from sentiment.config import Config, Web

KEY_FILE = "web.key"
if not pm.is_registered(plugin):
    pm.register(plugin)
# Datasette's own handler of errors prints every local variable, texts of posts among them, and
# takes a second for each address that does not exist. Its sessions hold even when their user is no
# longer configured. Ours do both alone.
for name in ("datasette.handle_exception", "datasette.actor_auth_cookie"):
    if default := pm.get_plugin(name):
        pm.unregister(default)


def build(config: Config, config_path: Path) -> Datasette:
    """Datasette for the configured database; brings that up to date first.

    Raises ConfigError or DatabaseError, with a sentence.
    """
    with open_database(config):
        pass
    folder = Path(str(files("sentiment.web")))
    datasette = Datasette(
        [],
        settings=metadata.SETTINGS | {"truncate_cells_html": plugin.LONGEST_CELL},
        metadata=metadata.metadata(config.language),
        template_dir=str(folder / "templates"),
        static_mounts=[("assets", str(folder / "assets"))],
        secret=random_key(config.database_path.with_name(KEY_FILE)).decode(),
    )
    datasette.remove_database("_memory")
    datasette.add_database(Database(datasette, str(config.database_path)), name=metadata.NAME)
    datasette.site = Site(config, config_path, datasette)
    return datasette


def serve(config: Config, config_path: Path) -> None:
    """Answer until SIGTERM or SIGINT. OSError when the address is taken."""
    import uvicorn

    web = config.web
    _refuse_taken(web)
    uvicorn.run(
        build(config, config_path).app(),
        host=web.host,
        port=web.port,
        log_level="warning",
        proxy_headers=False,  # whom to believe is config.toml's business, see access.py
        server_header=False,
        limit_concurrency=100,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )


def _refuse_taken(web: Web) -> None:
    """Say what to do where uvicorn would say a number and exit with one of its own."""
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    try:
        socket.create_server((web.host, web.port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # Python adds the address
        raise OSError(
            f"the pages cannot be shown at {web.host}, port {web.port} ({reason}): end "
            "what uses it, or set another host or port in [web]"
        ) from None
