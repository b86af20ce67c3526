using System.Net;
using System.Net.Sockets;
using System.Text;
using Piccolo.DevRelay;

namespace Piccolo.Tests.Tools.DevRelay.Fakes;

/// <summary>Starts relays and plays their users.</summary>
internal static class RelayFixture
{
    public static async Task<Relay> StartAsync(Action<RelayOptions>? set = null)
    {
        var options = new RelayOptions { Secret = TestTokens.Secret };
        foreach (var port in new[] { 443, 80, 2222 }) options.PublicPorts.Add(new PublicPort(new IPEndPoint(IPAddress.Loopback, 0), port));
        set?.Invoke(options);
        var relay = new Relay(options);
        await relay.StartAsync();
        return relay;
    }

    public static async Task<Socket> KnockAsync(this Relay relay, byte[] first, int port = 443, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } size) socket.ReceiveBufferSize = size;
        await socket.ConnectAsync(relay.PublicPorts.Single(p => p.AdvertisedPort == port).Listen);
        if (first.Length > 0) await socket.SendAsync(first);
        return socket;
    }

    /// <summary>Waits until a stream is registered; the relay tells nobody when it is, so this looks again until it is.</summary>
    public static async Task WaitForStreamAsync(this Relay relay)
    {
        using var limit = new CancellationTokenSource(ScriptedBackend.Patience);
        while (!relay.Sessions().Any(s => s.Streams.Count > 0))
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public static byte[] Get(string host, string target = "/") => Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");

    /// <summary>Reads until the relay closes; a reset counts as closed.</summary>
    public static async Task<byte[]> ReadToEndAsync(this Socket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[65_536];
        try
        {
            int read;
            while ((read = await socket.ReceiveAsync(buffer).WaitAsync(ScriptedBackend.Patience)) > 0) all.Write(buffer, 0, read);
        }
        catch (SocketException)
        {
            // Reset: what came before it still counts.
        }

        return all.ToArray();
    }

    public static async Task<byte[]> ReadExactlyAsync(this Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var done = 0; done < count;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(done)).AsTask().WaitAsync(ScriptedBackend.Patience);
            Assert.That(read, Is.Positive, $"closed after {done} of {count} bytes");
            done += read;
        }

        return bytes;
    }

    /// <summary>Opens a user's stream by HTTP and takes its connect and prelude.</summary>
    public static async Task<(Socket User, Guid Id)> OpenStreamAsync(this Relay relay, ScriptedBackend backend, byte[] first, int port = 443,
        int? receiveBuffer = null)
    {
        var user = await relay.KnockAsync(first, port, receiveBuffer);
        var connect = await backend.NextControlAsync("connect");
        var prelude = await backend.NextDataAsync(connect.Id);
        Assert.That(prelude.Data, Is.EqualTo(first));
        return (user, connect.Id);
    }
}
