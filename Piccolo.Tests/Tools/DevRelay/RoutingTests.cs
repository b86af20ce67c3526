using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.DevRelay.Entry;
using Piccolo.DevRelay.Routing;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay;

[Category("DevRelay"), Category("Nexus")]
internal sealed class RoutingTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task Nx116_ServerName_IsLowerCaseAndTheHelloIsReplayed()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var hello = TestHellos.Named("APP.Example.Test");

        using var user = await relay.KnockAsync(hello);

        var connect = await backend.NextControlAsync("connect");
        Assert.That(((string?)connect.Control["hostname"], (bool?)connect.Control["is_tls"]), Is.EqualTo((Host, true)));
        Assert.That((await backend.NextDataAsync(connect.Id)).Data, Is.EqualTo(hello));
    }

    [Test]
    public void Nx116_Hello_CutAnywhere_AsksForMore()
    {
        var hello = TestHellos.AppExampleTest;
        for (var cut = 0; cut < hello.Length; cut++)
            Assert.That(ClientHello.Parse(hello.AsSpan(0, cut), out _), Is.EqualTo(HelloState.NeedMore), $"cut at {cut}");

        Assert.That(ClientHello.Parse(hello, out var name), Is.EqualTo(HelloState.Complete));
        Assert.That(name, Is.EqualTo(Host));
    }

    [Test]
    public void Nx116_HelloInOneByteRecords_IsUnderstood()
    {
        var message = TestHellos.AppExampleTest[5..];
        byte[] records = [.. message.SelectMany(b => (byte[])[0x16, 3, 1, 0, 1, b])];

        Assert.That(ClientHello.Parse(records, out var name), Is.EqualTo(HelloState.Complete));
        Assert.That(name, Is.EqualTo(Host));
    }

    [Test]
    public void Hello_AnyByteChanged_NeverThrows()
    {
        var random = new Random(5);
        for (var i = 0; i < 20_000; i++)
        {
            var hello = TestHellos.AppExampleTest.ToArray();
            for (var n = 0; n < 3; n++) hello[random.Next(hello.Length)] = (byte)random.Next(256);
            Assert.That(ClientHello.Parse(hello.AsSpan(0, random.Next(hello.Length + 1)), out _),
                Is.AnyOf(HelloState.Complete, HelloState.NotTls, HelloState.NeedMore));
        }
    }

    [Test]
    public void Nx117_HelloWithoutServerName_HasNone()
    {
        Assert.That(ClientHello.Parse(TestHellos.WithoutName, out var name), Is.EqualTo(HelloState.Complete));
        Assert.That(name, Is.Null);
    }

    [Test]
    public async Task Nx117_HelloWithoutServerName_GoesToThePortClaimWithItsBytes()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.AllowedTcpPortClaims = new HashSet<int> { 2222 });
        await using var backend = await ScriptedBackend.OpenAsync(relay, TestTokens.Claims().With("tcp_ports", new JsonArray(2222)));

        using var user = await relay.KnockAsync(TestHellos.WithoutName, 2222);

        var connect = await backend.NextControlAsync("connect");
        Assert.That(((string?)connect.Control["hostname"], (bool?)connect.Control["is_tls"], (int?)connect.Control["conn_port"]),
            Is.EqualTo(("tcp:2222", true, 2222)));
        Assert.That((await backend.NextDataAsync(connect.Id)).Data, Is.EqualTo(TestHellos.WithoutName));
    }

    [Test]
    public async Task Nx118_PlainHttpInPieces_IsRoutedByHostWithAllItsBytes()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        using var user = await relay.KnockAsync("G"u8.ToArray());
        await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(20));
        await user.SendAsync("ET / HTTP/1.1\r\nHo"u8.ToArray());
        await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(20));
        await user.SendAsync("st: app.example.test:443\r\n\r\nbody"u8.ToArray());

        var connect = await backend.NextControlAsync("connect");

        Assert.That(connect.Control.ContainsKey("is_tls"), Is.False);
        Assert.That(Encoding.ASCII.GetString((await backend.NextDataAsync(connect.Id)).Data),
            Is.EqualTo("GET / HTTP/1.1\r\nHost: app.example.test:443\r\n\r\nbody"));
    }

    [TestCase("GET / HTTP/1.1\r\nHost: APP.Example.Test.:8443\r\n\r\n", "app.example.test")]
    [TestCase("GET http://first.test:1/x HTTP/1.1\r\nHost: second.test\r\n\r\n", "first.test")]
    [TestCase("GET http://user@first.test?q HTTP/1.1\r\nHost: second.test\r\n\r\n", "first.test")]
    [TestCase("CONNECT there.test:443 HTTP/1.1\r\nHost: second.test\r\n\r\n", "there.test")]
    [TestCase("OPTIONS * HTTP/1.0\r\nhOST:  a.test \r\n\r\n", "a.test")]
    [TestCase("GET / HTTP/1.1\nHost: a.test\n\n", "a.test")]
    [TestCase("GET / HTTP/1.1\r\nX: 1\r\n folded\r\nHost: [2001:db8::1]:80\r\n\r\n", "2001:db8::1")]
    public void Nx123_Host_IsNormalisedAndAbsoluteFormWins(string head, string host)
    {
        Assert.That(HttpHead.Parse(Encoding.ASCII.GetBytes(head), out var found), Is.EqualTo(HeadState.Complete));
        Assert.That(found, Is.EqualTo(host));
    }

    [TestCase("GET / HTTP/1.1\r\n\r\n", "NoHost")]
    [TestCase("PRI * HTTP/2.0\r\n\r\n", "NoHost")]
    [TestCase("GET / HTTP/1.1\r\nHost: a", "NeedMore")]
    [TestCase("GET /", "NeedMore")]
    [TestCase("hello\n", "NotHttp")]
    [TestCase("GET / HTTP/1.1\r\nno colon here\r\n", "NotHttp")]
    [TestCase("GET / HTTP/1.1\r\nbad name: x\r\n", "NotHttp")]
    [TestCase("GET / HTTP/1.1\r\n first line folded: x\r\n", "NotHttp")]
    [TestCase("GET relative HTTP/1.1\r\n", "NotHttp")]
    [TestCase("G T / FTP/1.1\r\n", "NotHttp")]
    public void Nx123_OtherHeads_AreTold(string head, string state) =>
        Assert.That(HttpHead.Parse(Encoding.ASCII.GetBytes(head), out _).ToString(), Is.EqualTo(state));

    [Test]
    public async Task Nx123_HttpWithoutHostOnAClaimedPort_LosesItsBytes()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.AllowedTcpPortClaims = new HashSet<int> { 2222 });
        await using var backend = await ScriptedBackend.OpenAsync(relay, TestTokens.Claims().With("tcp_ports", new JsonArray(2222)));
        using var user = await relay.KnockAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray(), 2222);
        var connect = await backend.NextControlAsync("connect");

        await user.SendAsync("later"u8.ToArray());

        Assert.That((await backend.NextDataAsync(connect.Id)).Data, Is.EqualTo("later"u8.ToArray()));
    }

    [Test]
    public void Nx124_Wildcards_MatchOneLabelAndExactNamesWin()
    {
        var pools = new BackendPools<string>(stockEmptyPools: true);
        pools.Add("wild", ["*.example.test", "*.com"], 1);
        pools.Add("exact", ["a.example.test"], 1);

        Assert.That(pools.Pick("b.example.test"), Is.EqualTo("wild"));
        Assert.That(pools.Pick("a.example.test"), Is.EqualTo("exact"));
        Assert.That(pools.Pick("a.b.example.test"), Is.Null);
        Assert.That(pools.Pick("example.test"), Is.Null);
        Assert.That(pools.Pick("a.com"), Is.Null);
    }

    [TestCase(true, null)]
    [TestCase(false, "wild")]
    public void Nx125_EmptiedExactPool_HidesAWildcardInStockMode(bool stock, string? picked)
    {
        var pools = new BackendPools<string>(stock);
        pools.Add("wild", ["*.example.test"], 1);
        pools.Add("exact", ["a.example.test"], 1);

        pools.Remove("exact", ["a.example.test"]);

        Assert.That(pools.Pick("a.example.test"), Is.EqualTo(picked));
    }

    [Test]
    public void Nx126_WeightedRoundRobin_FollowsTheWeights()
    {
        var pool = new WeightedPool<string>();
        Assert.That(pool.Next(), Is.Null);
        pool.Add("five", 5);
        pool.Add("one", 1);
        pool.Add("four", 4);

        var picks = Enumerable.Range(0, 1_000).Select(_ => pool.Next()!).CountBy(p => p).ToDictionary();
        pool.Remove("four");
        var later = Enumerable.Range(0, 60).Select(_ => pool.Next()).ToList();

        Assert.That((picks["five"], picks["one"], picks["four"]), Is.EqualTo((500, 100, 400)));
        Assert.That(later, Does.Not.Contain("four").And.Contain("one").And.Contain("five"));
    }

    [TestCase(443, "tcp:443")]
    [TestCase(1, "tcp:1")]
    [TestCase(65_535, "tcp:65535")]
    public void Nx130_RouteKeyOfATcpPort_IsTransportAndDecimalPort(int port, string key) =>
        Assert.That(Piccolo.DevRelay.Protocol.Nexus.TcpKey(port), Is.EqualTo(key));

    [Test]
    public async Task Nx132_ClientIp_IsAddressAndPortAndNeverAName()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, "app.example.test");

        using var user = await relay.KnockAsync(RelayFixture.Get("app.example.test"));
        var connect = await backend.NextControlAsync("connect");

        Assert.That(connect.Text, Does.Contain($"\"client_ip\":\"{user.LocalEndPoint}\""));
    }

    [Test]
    public async Task Nx127_NoBackend_ClosesWithoutAByte()
    {
        await using var relay = await RelayFixture.StartAsync();

        using var tls = await relay.KnockAsync(TestHellos.AppExampleTest);
        using var http = await relay.KnockAsync(RelayFixture.Get(Host), 80);
        using var nameless = await relay.KnockAsync(TestHellos.WithoutName);

        Assert.That(await tls.ReadToEndAsync(), Is.Empty);
        Assert.That(await http.ReadToEndAsync(), Is.Empty);
        Assert.That(await nameless.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx128_LaterRequests_StayOnTheStream()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host, "other.example.test");
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;

        await user.SendAsync(RelayFixture.Get("other.example.test"));

        Assert.That((await backend.NextDataAsync(id)).Data, Is.EqualTo(RelayFixture.Get("other.example.test")));
    }

    [Test]
    public async Task Nx129_AcmeChallengeOnPort80_IsForwarded()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        var (user, _) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host, "/.well-known/acme-challenge/token"), 80);

        user.Dispose();
        Assert.That((await backend.NextControlAsync("disconnect")).Event, Is.EqualTo("disconnect"));
    }

    [Test]
    public async Task Nx147_TwoEqualSessions_Alternate()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var one = await ScriptedBackend.OpenAsync(relay, Host);
        await using var two = await ScriptedBackend.OpenAsync(relay, Host);
        var users = new List<Socket>();

        for (var i = 0; i < 4; i++)
        {
            var (first, _) = await relay.OpenStreamAsync(one, RelayFixture.Get(Host));
            var (second, _) = await relay.OpenStreamAsync(two, RelayFixture.Get(Host));
            users.AddRange([first, second]);
        }

        Assert.That(relay.Sessions().Select(s => s.Streams.Count), Is.EqualTo([4, 4]));
        users.ForEach(u => u.Dispose());
    }
}
