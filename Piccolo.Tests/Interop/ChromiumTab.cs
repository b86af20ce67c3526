using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Interop;

/// <summary>A headless Chromium with one page open, driven over its DevTools socket as a person would: reads what is shown, types, clicks.</summary>
internal sealed class ChromiumTab : IAsyncDisposable
{
    private const string Announcement = "DevTools listening on ";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TempFolder _profile;
    private readonly Process _chromium;
    private readonly ClientWebSocket _devTools = new();
    private int _lastId;

    private ChromiumTab(TempFolder profile, Process chromium) => (_profile, _chromium) = (profile, chromium);

    public static async Task<ChromiumTab> OpenAsync(Uri page)
    {
        var profile = new TempFolder();
        var start = new ProcessStartInfo("chromium",
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage", "--remote-debugging-port=0", "--user-data-dir=" + profile.Path,
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", page.ToString(),
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        var tab = new ChromiumTab(profile, Process.Start(start)!);
        try
        {
            await tab.AttachAsync(page).WaitAsync(Limit);
            return tab;
        }
        catch
        {
            await tab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until a JavaScript expression over the page holds.</summary>
    public async Task UntilAsync(string condition)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            while (!await HoldsAsync(condition, limit.Token))
            {
                // The page was loaded anew meanwhile; its successor is asked.
            }
        }
        catch (OperationCanceledException)
        {
            using var last = new CancellationTokenSource(Limit);
            Assert.Fail($"Waited in vain until {condition}. The page shows: {await EvaluateAsync("document.body.innerText", last.Token)}");
        }
    }

    /// <summary>Waits in the page itself, which answers once the condition holds.</summary>
    /// <returns>False when the page went before that.</returns>
    private async Task<bool> HoldsAsync(string condition, CancellationToken cancellationToken)
    {
        try
        {
            await EvaluateAsync($"new Promise(done => {{ const look = () => ({condition}) ? done(true) : setTimeout(look, 20); look(); }})", cancellationToken);
            return true;
        }
        catch (InvalidOperationException e) when (e.Message.Contains("Execution context was destroyed", StringComparison.Ordinal))
        {
            return false;
        }
    }

    public async Task<string> TextAsync(string id)
    {
        using var limit = new CancellationTokenSource(Limit);
        return (string)(await EvaluateAsync($"document.getElementById({JsonSerializer.Serialize(id)}).innerText", limit.Token))!;
    }

    public async Task TypeAsync(string id, string text)
    {
        using var limit = new CancellationTokenSource(Limit);
        await EvaluateAsync($"document.getElementById({JsonSerializer.Serialize(id)}).value = {JsonSerializer.Serialize(text)}", limit.Token);
    }

    public async Task ClickAsync(string id)
    {
        using var limit = new CancellationTokenSource(Limit);
        await EvaluateAsync($"document.getElementById({JsonSerializer.Serialize(id)}).click()", limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        _devTools.Dispose();
        _chromium.Kill(entireProcessTree: true);
        await _chromium.WaitForExitAsync().WaitAsync(Limit);
        _chromium.Dispose();
        _profile.Dispose();
    }

    private async Task AttachAsync(Uri page)
    {
        var said = new StringBuilder();
        string? address = null;
        while (address is null)
        {
            var line = await _chromium.StandardError.ReadLineAsync() ?? throw new InvalidOperationException("Chromium ended: " + said);
            said.AppendLine(line);
            if (line.StartsWith(Announcement, StringComparison.Ordinal)) address = line[Announcement.Length..];
        }
        // Nobody reads what follows, and it must not block the browser.
        _ = _chromium.StandardError.ReadToEndAsync();
        _ = _chromium.StandardOutput.ReadToEndAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var list = new UriBuilder(address) { Scheme = "http", Path = "/json/list" }.Uri;
        JsonNode? target = null;
        while (target is null)
            target = JsonNode.Parse(await http.GetStringAsync(list))!.AsArray()
                .FirstOrDefault(t => (string?)t!["type"] == "page" && ((string)t["url"]!).StartsWith(page.ToString(), StringComparison.Ordinal));
        await _devTools.ConnectAsync(new Uri((string)target["webSocketDebuggerUrl"]!), CancellationToken.None);
    }

    private async Task<JsonNode?> EvaluateAsync(string expression, CancellationToken cancellationToken)
    {
        var id = ++_lastId;
        var call = new { id, method = "Runtime.evaluate", @params = new { expression, awaitPromise = true, returnByValue = true } };
        await _devTools.SendAsync(JsonSerializer.SerializeToUtf8Bytes(call), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        while (true)
        {
            var message = JsonNode.Parse(await ReceiveAsync(cancellationToken))!;
            if ((int?)message["id"] != id) continue;
            if ((message["error"] ?? message["result"]!["exceptionDetails"]) is { } error)
                throw new InvalidOperationException($"{expression}: {error.ToJsonString()}");
            return message["result"]!["result"]!["value"];
        }
    }

    private async Task<byte[]> ReceiveAsync(CancellationToken cancellationToken)
    {
        using var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var part = await _devTools.ReceiveAsync(buffer, cancellationToken);
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage) return message.ToArray();
        }
    }
}
