namespace Piccolo.Tests.Interop;

/// <summary>A page that uses what pages use, and tells the app what it saw.</summary>
internal static class BrowserPage
{
    public const string Html = """
        <!doctype html><meta charset="utf-8"><title>Interop</title>
        <script>
        const seen = {};
        const fetched = fetch('/').then(r => r.text()).then(t => { seen.fetched = t.trim(); });
        const socket = new Promise((done, fail) => {
            const ws = new WebSocket('wss://' + location.host + '/ws');
            ws.onopen = () => ws.send('ping');
            ws.onmessage = m => { seen.socket = m.data; ws.close(); done(); };
            ws.onerror = () => fail('websocket');
        });
        const events = new Promise((done, fail) => {
            const source = new EventSource('/events');
            seen.events = [];
            source.onmessage = m => { seen.events.push(m.data); if (seen.events.length === 2) { source.close(); done(); } };
            source.onerror = () => fail('events');
        });
        Promise.all([fetched, socket, events])
            .catch(e => { seen.failed = String(e); })
            .then(() => { seen.protocol = performance.getEntriesByType('navigation')[0].nextHopProtocol; })
            .then(() => fetch('/report', { method: 'POST', body: JSON.stringify(seen) }));
        </script>
        """;
}
