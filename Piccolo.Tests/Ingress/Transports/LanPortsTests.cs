using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;
using static Piccolo.Tests.Ingress.Tls.TlsTerminationTests;

namespace Piccolo.Tests.Ingress.Transports;

internal sealed class LanPortsTests
{
    private FrontDoor _door = null!;
    private FakeApp _app = null!;

    [SetUp]
    public async Task SetUp()
    {
        _door = await StartAsync();
        _app = await FakeApp.StartAsync(async context =>
        {
            await context.Response.WriteAsync($"{context.Request.Host} {context.Request.Protocol}");
            if (context.Request.Protocol == "HTTP/2") context.Response.AppendTrailer("grpc-status", "0");
        });
    }

    [TearDown]
    public async Task TearDown()
    {
        await _app.DisposeAsync();
        await _door.DisposeAsync();
    }

    [Test]
    public async Task Listener_AddedAndRemoved_PortOpensAndCloses()
    {
        var ports = await _door.OpenLanPortsAsync(Listener("web", _app.Port), Listener("other", _app.Port));
        using var client = _door.ClientFor(ports[0]);
        Assert.That(await client.GetStringAsync($"http://box.local:{ports[0]}/"), Is.EqualTo($"box.local:{ports[0]} HTTP/1.1"));

        _door.Listeners.Replace(_door.Listeners.Current.Where(l => l.Name == "other"));
        await _door.LanPortsAsync(states => !states.ContainsKey("web"));

        Assert.That(async () => await ConnectAsync(ports[0]), Throws.InstanceOf<SocketException>());
        using var still = await ConnectAsync(ports[1]);
        Assert.That(still.Connected, Is.True);
        Assert.That(async () => await client.GetStringAsync($"http://box.local:{ports[0]}/"), Throws.InstanceOf<HttpRequestException>(),
            "the kept connection has ended too");
    }

    [TestCase("127.0.0.1", 200)]
    [TestCase("192.0.2.1:35000", 200)]
    [TestCase("[2001:db8::1]", 200)]
    [TestCase("localhost", 200)]
    [TestCase("BOX.local.", 200)]
    [TestCase("nas.lan", 200)]
    [TestCase("web.home.test", 200)]
    [TestCase("other.home.test", 421)]
    [TestCase("evil.example", 421)]
    [TestCase("127.0.0.1.evil.example", 421)]
    [TestCase("local", 421)]
    public async Task Host_OnALanPort_MustBeOneOfTheBoxOrTheApp(string host, int expected)
    {
        await using var door = await StartAsync(new() { ["AllowedHosts:0"] = "nas.lan" });
        var listener = door.PublishApp("web", _app.Port);
        door.PublishApp("other", _app.Port);
        var ports = await door.OpenLanPortsAsync(listener);
        using var client = await ConnectAsync(ports[0]);
        await client.SendAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));

        Assert.That(Encoding.ASCII.GetString(await ReadToEndAsync(client).WaitAsync(Patience)), Does.StartWith($"HTTP/1.1 {expected} "));
    }

    [Test]
    public async Task Host_AnyAllowed_IsServed()
    {
        await using var door = await StartAsync(new() { ["AnyHostOnLanPorts"] = "true" });
        var ports = await door.OpenLanPortsAsync(Listener("web", _app.Port));
        using var client = door.ClientFor(ports[0]);

        Assert.That(await client.GetStringAsync("http://evil.example/"), Does.StartWith("evil.example "));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task KeptConnection_OfAListenerThatChanges_IsEnded(bool isHttp)
    {
        await using var other = await FakeApp.StartAsync(c => c.Response.WriteAsync("other"));
        using var raw = new RawApp();
        var listener = isHttp ? Listener("web", _app.Port) : Listener("web", raw.Port, ListenerFlow.Tcp, ListenerProtocol.Raw);
        var ports = await _door.OpenLanPortsAsync(listener);
        listener = listener with { PublicPort = 0 };
        using var kept = await ConnectAsync(ports[0]);
        using var atTheApp = isHttp ? null : await raw.AcceptAsync();
        if (isHttp)
        {
            await kept.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            Assert.That(await kept.ReceiveAsync(new byte[4096]).WaitAsync(Patience), Is.GreaterThan(0));
        }

        // The same port, another app behind it.
        _door.Listeners.Replace([listener with { GuardPort = other.Port }]);

        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (await kept.ReceiveAsync(new byte[4096].AsMemory(), SocketFlags.None, patience.Token) > 0)
            {
                // What was on its way.
            }
        }
        catch (SocketException)
        {
            // A splice is broken off.
        }
    }

    [Test]
    public async Task Listener_OnLoopback_AnswersOnBothFamilies()
    {
        var ports = await _door.OpenLanPortsAsync(Listener("web", _app.Port));
        using var client = _door.ClientOver(async cancel =>
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.IPv6Loopback, ports[0], cancel);
            return new NetworkStream(socket, ownsSocket: true);
        });

        Assert.That(await client.GetStringAsync("http://box.local/"), Does.EndWith("HTTP/1.1"));
        var seen = await _app.NextRequestAsync();
        Assert.That(seen["X-Forwarded-For"].ToString(), Is.EqualTo("::1"));
        Assert.That(seen["X-Forwarded-Proto"].ToString(), Is.EqualTo("http"));
        Assert.That(seen["Forwarded"].ToString(), Is.EqualTo("for=\"[::1]\";host=\"box.local\";proto=http"));
    }

    [Test]
    public async Task Listener_OnAnyAddress_AnswersOnBothFamiliesAndSeesAStrangerOnOneOfThem()
    {
        await using var door = await StartAsync(new() { ["ListenAddress"] = "any" });
        using var stranger = PassThroughTests.StartListening(out var taken);

        door.Listeners.Replace([Listener("web", _app.Port), Listener("late", _app.Port) with { PublicPort = taken }]);
        await door.LanPortsAsync(states => states.Count == 2);
        var port = door.LanPorts.Find("web")!.Port;

        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address, port);
            await socket.SendAsync("GET / HTTP/1.1\r\nHost: box.local\r\nConnection: close\r\n\r\n"u8.ToArray());
            Assert.That(Encoding.ASCII.GetString(await ReadToEndAsync(socket)), Does.StartWith("HTTP/1.1 200 "), $"{address}");
        }
        Assert.That((door.LanPorts.Find("late")!.Binding, door.LanPorts.Find("late")!.IsTaken), Is.EqualTo((LanPortBinding.BindFailed, true)));
    }

    [Test]
    public async Task Listener_WhoseUpstreamChanges_KeepsItsPort()
    {
        var before = Listener("web", 1);
        var ports = await _door.OpenLanPortsAsync(before);

        _door.Listeners.Replace([before with { GuardPort = _app.Port }]);
        await _door.LanPortsAsync(states => states["web"].Listener.GuardPort == _app.Port);
        using var client = _door.ClientFor(ports[0]);

        Assert.That(await client.GetStringAsync("http://box.local/"), Does.EndWith("HTTP/1.1"));
        Assert.That(_door.LanPorts.Find("web")!.Port, Is.EqualTo(ports[0]));
    }

    [Test]
    public async Task Port_TakenByAStranger_IsReportedAndRetried()
    {
        var stranger = PassThroughTests.StartListening(out var port);
        var listener = Listener("web", _app.Port) with { PublicPort = port };

        _door.Listeners.Replace([listener, Listener("other", _app.Port)]);
        await _door.LanPortsAsync(states => states.Count == 2);
        var failed = _door.LanPorts.Find("web")!;
        stranger.Dispose();
        await _door.LanPortsAsync(states => states["web"].Binding == LanPortBinding.Listening);
        using var client = _door.ClientFor(port);

        Assert.That((failed.Binding, failed.Port, failed.IsTaken), Is.EqualTo((LanPortBinding.BindFailed, port, true)));
        Assert.That(failed.Reason, Is.Not.Empty);
        Assert.That(await client.GetStringAsync("http://box.local/"), Does.EndWith("HTTP/1.1"));
        Assert.That(_door.LanPorts.Find("web")!.Reason, Is.Null);
    }

    [Test]
    public async Task Port_ThatFailedAndIsGoneFromTheTable_IsForgotten()
    {
        using var stranger = PassThroughTests.StartListening(out var port);
        _door.Listeners.Replace([Listener("web", _app.Port) with { PublicPort = port }]);
        await _door.LanPortsAsync(states => states.ContainsKey("web"));

        _door.Listeners.Replace([]);

        await _door.LanPortsAsync(states => states.IsEmpty);
        Assert.That(_door.LanPorts.Current, Is.Empty);
    }

    [Test]
    public async Task RawListener_ServerSpeaksFirst_IsSplicedWithoutALook()
    {
        using var upstream = PassThroughTests.StartListening(out var guard);
        var ports = await _door.OpenLanPortsAsync(Listener("mail", guard, ListenerFlow.Tcp, ListenerProtocol.Raw));
        using var client = await ConnectAsync(ports[0]);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        await app.SendAsync("220 ready"u8.ToArray());
        var greeting = new byte[9];
        await client.ReceiveAsync(greeting).WaitAsync(Patience);
        await client.SendAsync("QUIT"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);

        Assert.That(Encoding.ASCII.GetString(greeting), Is.EqualTo("220 ready"));
        Assert.That(Encoding.ASCII.GetString(await ReadToEndAsync(app)), Is.EqualTo("QUIT"));
    }

    [Test]
    public async Task GrpcListener_SpeaksHttp2InClearTextWithTrailers()
    {
        await using var grpc = await FakeApp.StartAsync(async context =>
        {
            await context.Response.WriteAsync(context.Request.Protocol);
            context.Response.AppendTrailer("grpc-status", "0");
        }, HttpProtocols.Http2);
        var ports = await _door.OpenLanPortsAsync(Listener("rpc", grpc.Port, ListenerFlow.Tcp, ListenerProtocol.Grpc));
        using var client = _door.ClientFor(ports[0]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://box.local/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TE.ParseAdd("trailers");

        using var response = await client.SendAsync(request);

        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("HTTP/2"));
        Assert.That(response.TrailingHeaders.GetValues("grpc-status"), Is.EqualTo(new[] { "0" }));
    }

    [Test]
    public async Task Stop_ClosesThePorts()
    {
        var ports = await _door.OpenLanPortsAsync(Listener("web", _app.Port));

        await _door.StopAsync();

        Assert.That(async () => await ConnectAsync(ports[0]), Throws.InstanceOf<SocketException>());
    }
}
