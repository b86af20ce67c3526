using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using static Piccolo.Tests.Ingress.FrontDoor;

namespace Piccolo.Tests.Ingress;

/// <summary>As a client of the LAN: this host over its own address, which is no loopback.</summary>
internal sealed class AllowedNetworksTests
{
    private static readonly IPAddress Own = (
        from nic in NetworkInterface.GetAllNetworkInterfaces()
        where nic is { NetworkInterfaceType: not NetworkInterfaceType.Loopback, OperationalStatus: OperationalStatus.Up }
        from unicast in nic.GetIPProperties().UnicastAddresses
        where unicast.Address.AddressFamily == AddressFamily.InterNetwork && !nic.Name.StartsWith("podman", StringComparison.Ordinal)
        select unicast.Address).FirstOrDefault()
        ?? throw new InvalidOperationException("These tests need a network interface with an IPv4 address beside loopback.");

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

    private static async ValueTask<Stream> ConnectToOwnAsync(int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(Own, port, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
