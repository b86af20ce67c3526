using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Reflection;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Piccolo.Core.Apps;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Jobs;
using Piccolo.Core.Listeners;
using Piccolo.Core.Remote.Probing;
using Piccolo.Core.Routing;
using Piccolo.Core.Vault;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>
/// A box that is used in every way at once, and locked: each use is seen to work before and seen to be over
/// after. That the process starts afresh is <see cref="Api.Platform.FreshStartTests"/>'s.
/// </summary>
[Category("Scenario"), Category("NeedsPebble"), Category("Sealed")]
internal sealed class WholeLockTests : RemoteBoxFixture
{
    private const string Host = "web." + RemoteBox.Domain;
    private const int Moving = 1024 * 1024;

    private const string Manifest = """
        name: web
        image: localhost/sample:1
        listeners:
          - { name: web, guest_port: 8080, flow: tcp, protocol: http }
        """;

    private protected override (string Key, string Value)[] Settings => [];

    [Test]
    public async Task Lock_BoxAtWork_EndsAllThatWasSeenToWork()
    {
        var service = await InstallAsync();
        await using var app = await FakeApp.StartAsync(AnswerAsync, port: (int)service["host_port"]!);
        var lan = new Uri($"http://127.0.0.1:{service["public_port"]}/");
        await Box.UntilAsync(Host, ReachResult.Reachable);
        using var owner = new PortalClient(Box.Appliance);
        await owner.PostAsync("crypto/unlock", new { password = TestAppliance.Password });
        // The answer to a lock takes the cookie from the browser that asked for it; another one keeps its own.
        using var other = new PortalClient(Box.Appliance);
        await other.PostAsync("crypto/unlock", new { password = TestAppliance.Password });
        using var script = Script((string)(await Box.Appliance.Api.PostAsync("/api/v1/auth/tokens", new { name = "watcher" }))["token"]!);
        var internet = new PublicInternet(Box.RelayTls, await RootsAsync());
        using var stranger = internet.NewClient();

        // Before.
        string[] names = [Host, RemoteBox.Portal];
        Assert.That(Box.Relay.Sessions().Select(s => s.Hostnames), Has.Some.EquivalentTo(names), "the relay has accepted the session");
        using (var shown = await internet.PeekCertificateAsync(Host, default)) Assert.That(shown.MatchesHostname(Host), Is.True);
        await using var download = await OpenAsync(stranger, new Uri($"https://{Host}/endless"));
        await download.ReadExactlyAsync(new byte[Moving]).AsTask().WaitAsync(RemoteBox.Patience);
        using (var visitor = Plain()) Assert.That(await visitor.GetStringAsync(lan), Is.EqualTo("hello"));
        var (job, _) = Box.Get<JobTable>().Start("long", "long", async (_, token) =>
        {
            await token.FiredAsync();
            token.ThrowIfCancellationRequested();
            return null;
        });
        await using var events = await OpenAsync(script, new Uri($"/api/v1/jobs/{job.Id}/events", UriKind.Relative));
        Assert.That(await events.ReadAsync(new byte[1]).AsTask().WaitAsync(RemoteBox.Patience), Is.EqualTo(1), "the event stream is open");
        Assert.That((await owner.GetAsync("apps")).Status, Is.EqualTo(200));
        Assert.That((await other.GetAsync("apps")).Status, Is.EqualTo(200));
        Assert.That(await StatusAsync(script), Is.EqualTo(200));
        Assert.That(Box.Get<ServerCertificateTable>().Find(Host), Is.Not.Null);
        Assert.That(Box.Get<RouteTableHolder>().Current.Routes, Is.Not.Empty);
        Assert.That(Box.Appliance.Engine.Containers.Count(c => c.IsRunning), Is.EqualTo(1));
        Assert.That(Box.Get<SealedStore>().Revision, Is.Positive);
        var key = Key()!;
        Assert.That(() => key.Derive("test", new byte[32]), Throws.Nothing);

        var answer = await owner.WriteAsync(HttpMethod.Post, "crypto/lock");

        // After.
        Assert.That((answer.Status, answer.Body.ToJsonString()), Is.EqualTo((200, """{"message":"ok"}""")));
        using (var limit = new CancellationTokenSource(RemoteBox.Patience)) await Box.Relay.WaitForSessionsAsync(s => s.Count == 0, limit.Token);
        Assert.That(() => ReadToEndAsync(download), Throws.InstanceOf<IOException>(), "the download is cut");
        Assert.That(Box.Appliance.Restart.Announced, Is.EqualTo(1), "what is connected on the LAN ends with the image of the process");
        Assert.That(await ReadToEndAsync(events), Does.Contain("event: ended").And.Contain("\"code\":\"locked\""));
        Assert.That(() => internet.PeekCertificateAsync(Host, default), Throws.InstanceOf<IOException>().Or.InstanceOf<AuthenticationException>(),
            "the name is not served");
        using (var visitor = Plain())
        {
            var refused = await Assert.CatchAsync<HttpRequestException>(() => visitor.GetAsync(lan));
            Assert.That((refused!.InnerException as SocketException)?.SocketErrorCode, Is.EqualTo(SocketError.ConnectionRefused));
        }
        Assert.That((await owner.GetAsync("apps")).Code, Is.EqualTo("locked"));
        Assert.That((bool)(await owner.GetAsync("auth/session")).Body["authenticated"]!, Is.False);
        Assert.That(await StatusAsync(script), Is.EqualTo(423));
        Assert.That(Box.Get<ServerCertificateTable>().IsEmpty, Is.True);
        Assert.That(Box.Get<RouteTableHolder>().Current.Routes, Is.Empty);
        Assert.That(Box.Get<LanPortStates>().Current, Is.Empty);
        Assert.That(Box.Appliance.Engine.Containers.Count(c => c.IsRunning), Is.Zero);
        Assert.That(() => Box.Get<AppCatalog>().List(), Throws.InstanceOf<StoreSealedException>());
        Assert.That(Key(), Is.Null);
        Assert.That(() => key.Derive("test", new byte[32]), Throws.InstanceOf<ObjectDisposedException>(), "the key is overwritten");

        // What ended does not come back with the next unlock, but for the tokens, which have an end of their own.
        await Box.Appliance.Api.UnlockAsync(TestAppliance.Password);
        Assert.That((await owner.GetAsync("apps")).Status, Is.EqualTo(401));
        Assert.That((await other.GetAsync("apps")).Status, Is.EqualTo(401), "the other browser's session has ended, too");
        Assert.That(await StatusAsync(script), Is.EqualTo(200));
    }

    private async Task<JsonNode> InstallAsync()
    {
        Box.Appliance.Engine.AddImage("localhost/sample:1");
        await Box.Appliance.Api.InstallAsync(Manifest);
        var board = Box.Get<AppStatusBoard>();
        await RemoteBox.UntilAsync(board.Changed, () => board.Find("web")?.State == AppState.Running, "the app runs");
        var ports = Box.Get<LanPortStates>();
        await RemoteBox.UntilAsync(ports.Changed, () => ports.Find("web")?.Binding == LanPortBinding.Listening, "its LAN port is open");
        return (await Box.Appliance.Api.GetAsync("/api/v1/services"))["services"]![0]!;
    }

    private async Task<X509Certificate2Collection> RootsAsync()
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(await Ca.RootPemAsync());
        return roots;
    }

    /// <summary>The vault's own hold on its key: null while there is none.</summary>
    private DataKey? Key() =>
        (DataKey?)typeof(ApplianceVault).GetField("_dataKey", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(Box.Get<ApplianceVault>());

    private HttpClient Script(string token)
    {
        var client = Plain();
        client.BaseAddress = Box.Appliance.Api.BaseAddress;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    private static HttpClient Plain() => new(new SocketsHttpHandler { UseProxy = false, UseCookies = false });

    private static async Task<int> StatusAsync(HttpClient client)
    {
        using var response = await client.GetAsync(new Uri("/api/v1/apps", UriKind.Relative));
        return (int)response.StatusCode;
    }

    private static async Task<Stream> OpenAsync(HttpClient client, Uri address)
    {
        var response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead).WaitAsync(RemoteBox.Patience);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStreamAsync();
    }

    private static async Task<string> ReadToEndAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        return await reader.ReadToEndAsync().WaitAsync(RemoteBox.Patience);
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path != "/endless")
        {
            await context.Response.WriteAsync("hello");
            return;
        }
        var block = new byte[16 * 1024];
        while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(block);
    }
}
