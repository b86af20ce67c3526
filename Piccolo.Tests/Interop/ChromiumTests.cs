using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Rig.Podman;
using static Piccolo.Tests.Interop.InteropRig;

namespace Piccolo.Tests.Interop;

/// <summary>A real browser: page, fetch, WebSocket and server-sent events, told by the page itself.</summary>
[Category("Interop")]
[Category("NeedsProcess")]
internal sealed class ChromiumTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Page_FetchWebSocketAndEvents_AllWork()
    {
        await using var rig = await StartAsync();
        var start = new ProcessStartInfo(Browser(),
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0", "--user-data-dir=" + rig.File("profile"),
            $"--host-resolver-rules=MAP {Host}:443 127.0.0.1:{rig.Port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            // The browser knows no root of ours; it takes exactly this key and no other.
            "--ignore-certificate-errors-spki-list=" + KeyOf(rig), $"https://{Host}/page",
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        using var chromium = Process.Start(start)!;
        var errors = chromium.StandardError.ReadToEndAsync();
        try
        {
            var reported = rig.Reports.Reader.ReadAsync().AsTask();
            if (await Task.WhenAny(reported, chromium.WaitForExitAsync()) != reported && !reported.IsCompleted) Assert.Fail("Chromium ended: " + await errors);
            var seen = JsonNode.Parse(await reported.WaitAsync(Limit))!;

            Assert.That((string?)seen["fetched"], Is.EqualTo($"hello from {Host} for 127.0.0.1"), seen.ToString());
            Assert.That((string?)seen["socket"], Is.EqualTo("ping"), seen.ToString());
            Assert.That(seen["events"]!.AsArray().Select(e => (string?)e), Is.EqualTo(new[] { "one", "two" }), seen.ToString());
            Assert.That((string?)seen["protocol"], Is.EqualTo("h2"), seen.ToString());
        }
        finally
        {
            chromium.Kill(entireProcessTree: true);
            await chromium.WaitForExitAsync().WaitAsync(Limit);
        }
    }

    private static string Browser() => new[] { "chromium", "google-chrome", "google-chrome-stable" }.FirstOrDefault(name => Tool.Find(name) is not null)
        ?? throw new InvalidOperationException("No chromium or google-chrome is on the PATH. Run: ./dev setup, which says how to get one");

    private static string KeyOf(InteropRig rig)
    {
        using var key = rig.Door.Get<ServerCertificateTable>().Find(Host)!.Leaf.GetECDsaPublicKey()!;
        return Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
    }
}
