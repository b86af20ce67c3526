using System.Text.Json.Nodes;
using Piccolo.Core.Remote.Probing;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Remote;

/// <summary>A whole appliance looks at its own names from outside, through a DevRelay and what a test puts in front of it.</summary>
[Category("Timing")]
internal sealed class FrontDoorTests
{
    private RemoteBox _box = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _box = await RemoteBox.StartAsync(("Piccolo:Remote:ProbeTimeout", "00:00:01"));
        await _box.ConfigureAsync();
        _box.Certify(RemoteBox.Portal);
    }

    [OneTimeTearDown]
    public async Task TearDown() => await _box.DisposeAsync();

    [SetUp]
    public async Task StartReachable()
    {
        _box.Restore();
        await _box.UntilAsync(RemoteBox.Portal, ReachResult.Reachable);
    }

    [Test]
    public async Task Portal_ThroughTheRelay_IsReachableWithItsRoundTrip()
    {
        var name = await PortalAsync();

        Assert.That((string?)name["result"], Is.EqualTo("reachable"));
        Assert.That((double)name["round_trip_ms"]!, Is.Positive);
        var now = TimeProvider.System.GetUtcNow();
        Assert.That((DateTimeOffset)name["last_success"]!, Is.EqualTo(now).Within(TimeSpan.FromMinutes(1)));
        Assert.That((DateTimeOffset)name["since"]!, Is.LessThanOrEqualTo(now));
        Assert.That(await _box.Appliance.Api.SendRawAsync(new HttpRequestMessage(HttpMethod.Get, "/metrics"))
            .ContinueWith(t => t.Result.Content.ReadAsStringAsync()).Unwrap(),
            Does.Match("""piccolo_names_reachable\S*name="portal\.home\.test"\S* 1"""));
    }

    [Test]
    public async Task RelayThatEndsTls_IsWrongKeyAndHearsNothing()
    {
        using var stranger = _box.Ca.IssueLeaf(RemoteBox.Portal);
        _box.Tls.EndsTls(stranger);

        await _box.UntilAsync(RemoteBox.Portal, ReachResult.WrongKey);

        var status = await _box.StatusAsync();
        Assert.That((string?)status["state"], Is.EqualTo("error"));
        Assert.That((string?)status["tunnel"]!["state"], Is.EqualTo("online"), "only the data plane lies");
        Assert.That((string?)status["warnings"]![0], Does.Contain("under a key that is not this device's"));
        Assert.That((string?)status["names"]![0]!["next_step"], Does.Contain("relay"));
        Assert.That(_box.Tls.Overheard, Is.Zero, "the handshake is broken off before a byte is sent");
    }

    [Test]
    public async Task RelayThatCarriesNoStream_IsDeadAlthoughOnlineAndReadyStays200()
    {
        _box.Tls.SaysNothing();

        var dead = await _box.UntilAsync(RemoteBox.Portal, ReachResult.Dead);

        Assert.That(dead.Detail, Does.Contain("did not carry a connection"));
        Assert.That(dead.LastSuccess, Is.Not.Null);
        var status = await _box.StatusAsync();
        Assert.That((string?)status["state"], Is.EqualTo("error"));
        Assert.That((string?)status["tunnel"]!["state"], Is.EqualTo("online"));
        Assert.That((bool)(await _box.Appliance.Api.GetAsync("/api/v1/health/ready"))["ready"]!, Is.True);

        _box.Restore();
        Assert.That((await _box.UntilAsync(RemoteBox.Portal, ReachResult.Reachable)).Since, Is.GreaterThan(dead.Since));
    }

    [Test]
    public async Task RelaysSessionThatIsMute_IsDeadAlthoughOnline()
    {
        _box.Relay.Faults.Mute = true;
        try
        {
            await _box.UntilAsync(RemoteBox.Portal, ReachResult.Dead);
        }
        finally
        {
            _box.Relay.Faults.Mute = false;
        }
        await _box.UntilAsync(RemoteBox.Portal, ReachResult.Reachable);
    }

    [Test]
    public async Task RelayThatHangsUp_IsDead()
    {
        _box.Tls.HangsUp();

        Assert.That((await _box.UntilAsync(RemoteBox.Portal, ReachResult.Dead)).Detail, Does.Contain("before it showed a certificate"));
    }

    [Test]
    public async Task Question_ThatNobodyAsked_IsAnOrdinaryPath()
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                await socket.ConnectAsync(_box.RelayTls, token);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        });

        using var asked = await http.GetAsync(new Uri($"https://{RemoteBox.Portal}{ProbeNonces.PathPrefix}{new string('a', 32)}"));
        using var other = await http.GetAsync(new Uri($"https://{RemoteBox.Portal}/.well-known/other"));

        Assert.That(asked.StatusCode, Is.EqualTo(other.StatusCode));
        Assert.That(JsonNode.Parse(await asked.Content.ReadAsStringAsync())!["code"]!.ToString(),
            Is.EqualTo(JsonNode.Parse(await other.Content.ReadAsStringAsync())!["code"]!.ToString()));
    }

    [Test]
    public async Task Locked_DialsNobodyAndForgetsTheResults()
    {
        // The certificates that this test put there belong to no ledger that would take them away.
        _box.Certify();
        await _box.Appliance.Api.PostAsync("/api/v1/crypto/lock");
        await RemoteBox.UntilAsync(_box.Board.Changed, () => _box.Board.Names.IsEmpty, "the results are gone");

        Assert.That(_box.Get<FrontDoorProbe>().NextLook, Is.Null);

        await _box.Appliance.Api.UnlockAsync(TestAppliance.Password);
        await _box.UntilServedAsync(RemoteBox.Portal);
        _box.Certify(RemoteBox.Portal);
        await _box.UntilAsync(RemoteBox.Portal, ReachResult.Reachable);
    }

    [Test]
    public async Task PassedThroughName_IsComparedWithWhatTheAppServes()
    {
        var name = $"sealed.{RemoteBox.Domain}";
        await _box.Appliance.Api.InstallAsync("""
            name: sealed
            image: docker.io/library/sample:1
            listeners:
              - name: sealed
                guest_port: 8443
                flow: tls
                protocol: raw
            """);
        await _box.UntilServedAsync(name);
        var service = (await _box.Appliance.Api.GetAsync("/api/v1/services"))["services"]![0]!;
        // In the place of the container.
        await using var app = new PublicDoor((int)service["host_port"]!);

        Assert.That((await _box.UntilAsync(name, ReachResult.Dead)).Detail, Does.Contain("The app itself"));

        using var key = _box.Ca.IssueLeaf(name);
        app.EndsTls(key);
        await _box.UntilAsync(name, ReachResult.Reachable);
        service = (await _box.Appliance.Api.GetAsync("/api/v1/services"))["services"]![0]!;
        Assert.That((string?)service["reach"]!["result"], Is.EqualTo("reachable"));

        using var stranger = _box.Ca.IssueLeaf(name);
        _box.Tls.EndsTls(stranger);
        await _box.UntilAsync(name, ReachResult.WrongKey);
        await _box.Appliance.Api.RemoveAsync("sealed");
        await RemoteBox.UntilAsync(_box.Board.Changed, () => _box.Board.Find(name) is null, "the name is gone");
    }

    private async Task<JsonNode> PortalAsync() => (await _box.StatusAsync())["names"]!.AsArray().Single(n => (string?)n!["name"] == RemoteBox.Portal)!;
}
