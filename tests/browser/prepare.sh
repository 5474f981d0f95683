#!/bin/sh
# What the browser tests need beside Python: Debian's Chromium, and axe-core from npm.
# Exit status 0: all there. 3: something is missing and cannot be installed here.
set -u
AXE=4.14.1
if ! command -v chromium >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1
    fi
    command -v chromium >/dev/null 2>&1 || {
        echo "browser tests: no Chromium here; install Debian's package chromium" >&2
        exit 3
    }
fi
if [ ! -f "build/axe/node_modules/axe-core/axe.min.js" ]; then
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix build/axe "axe-core@$AXE" >/dev/null 2>&1 || {
        echo "browser tests: axe-core $AXE cannot be had; install npm" >&2
        exit 3
    }
fi
