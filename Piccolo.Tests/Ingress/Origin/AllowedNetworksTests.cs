using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Piccolo.Core.Network;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Origin;

/// <summary>As a client of the LAN: this host over its own address, which is no loopback.</summary>
internal sealed class AllowedNetworksTests
{
    private static readonly IPAddress Own = ReadOwn();

    [TestCase("203.0.113.0/24", false)]
    [TestCase("0.0.0.0/0", true)]
    public async Task LanPort_AsksForTheClientsNetwork(string allowed, bool admitted)
    {
        await using var door = await StartAsync(new() { ["ListenAddress"] = "any", ["AllowedNetworks:0"] = allowed });
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        var ports = await door.OpenLanPortsAsync(Listener("web", app.Port));
        using var client = door.ClientOver(cancel => ConnectToOwnAsync(ports[0], cancel));

        if (admitted) Assert.That(await client.GetStringAsync("http://box.local/"), Is.EqualTo("ok"));
        else Assert.That(async () => await client.GetStringAsync("http://box.local/"), Throws.InstanceOf<HttpRequestException>());
    }

    [TestCase("203.0.113.0/24", HttpStatusCode.Forbidden)]
    [TestCase("0.0.0.0/0", HttpStatusCode.OK)]
    public async Task Portal_AsksForTheClientsNetwork(string allowed, HttpStatusCode expected)
    {
        await using var door = await StartAsync(new() { ["ListenAddress"] = Own.ToString(), ["AllowedNetworks:0"] = allowed });
        using var client = door.ClientOver(cancel => ConnectToOwnAsync(door.HttpPort, cancel));

        using var response = await client.GetAsync($"http://{Own}/");
        using var challenge = await client.GetAsync($"http://{Own}/.well-known/acme-challenge/none");

        Assert.That(response.StatusCode, Is.EqualTo(expected));
        Assert.That(challenge.StatusCode, Is.EqualTo(HttpStatusCode.NotFound), "HTTP-01 is open to all");
    }

    private static IPAddress ReadOwn()
    {
        Assert.That(HostInterfaces.TryRead(out var interfaces, out var reason), Is.True, reason);
        return interfaces.Where(i => i is { IsLoopback: false, IsUp: true } && !i.Name.StartsWith("podman", StringComparison.Ordinal))
            .SelectMany(i => i.Addresses).Select(a => a.Address).FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)
            ?? throw new InvalidOperationException("These tests need a network interface with an IPv4 address beside loopback.");
    }

    private static async ValueTask<Stream> ConnectToOwnAsync(int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(Own, port, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
