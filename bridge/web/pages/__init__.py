"""Show people what the bridge knows: the dashboard, rendered here and kept up to date by the browser.

Never decides and never reads a store: each page asks the same services as the REST interface. Every page works without
a script, too; `static/live.js` asks for the same address again when something has changed, and swaps what differs.

    rendering   what every page is rendered with, and the headers that keep it harmless
    notices     what an order said, on the page that it leads to
    words       the words of this interface in plain language; ages and durations
    failures    a failure as a page, where a browser asked
    login       where a key is given
    tables      which pages there are

Before it: `auth`, `route_table`. After it: `services`.
"""
