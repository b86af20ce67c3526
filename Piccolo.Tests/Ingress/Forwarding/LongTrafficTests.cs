using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>What is large or lasts: nothing on the way may be kept, and nothing may end because time goes by.</summary>
[Category("Timing")]
internal sealed class LongTrafficTests
{
    private const int Chunk = 64 * 1024;
    private const long Size = 8_000L * Chunk;

    /// <summary>What kernel buffers, windows and pipes on both sides of both hops may hold together, whatever the size of the body.</summary>
    private const long OnTheWay = 48 * 1024 * 1024;

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Upload_OfHalfAGigabyte_IsNeverAheadOfTheAppByMoreThanBuffers(string version)
    {
        var content = new CountedContent();
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        long most = 0;
        await using var app = await FakeApp.StartAsync(async c =>
        {
            await stalled.Task.WaitAsync(Patience);
            var buffer = new byte[Chunk];
            long received = 0;
            for (int read; (read = await c.Request.Body.ReadAsync(buffer)) > 0; received += read) most = Math.Max(most, content.Sent - received);
            await c.Response.WriteAsync(received.ToString(CultureInfo.InvariantCulture));
        });
        await using var door = await StartAsync();
        door.PublishApp("web", app.Port);
        using var client = door.ClientFor(door.HttpsPort);
        client.Timeout = TimeSpan.FromMinutes(2);
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://web.home.test/")
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };

        var sending = client.SendAsync(request);
        var ahead = await UntilItStallsAsync(content);
        stalled.SetResult();
        using var response = await sending;

        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo($"{Size}"));
        Assert.That(ahead, Is.InRange(1, OnTheWay), "an app that does not read holds its client back");
        Assert.That(most, Is.InRange(1, OnTheWay));
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task WebSocket_SilentForLongerThanAnyLimitOfRequests_StaysOpen(string version)
    {
        await using var app = await FakeApp.StartAsync(async c =>
        {
            using var socket = await c.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[16];
            while (await socket.ReceiveAsync(buffer, default) is { MessageType: not WebSocketMessageType.Close } message)
                await socket.SendAsync(buffer.AsMemory(0, message.Count), WebSocketMessageType.Text, true, default);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        });
        await using var door = await StartAsync(new()
        {
            ["Piccolo:Http:KeepAliveTimeout"] = "00:00:00.500",
            ["Piccolo:Http:HeadersTimeout"] = "00:00:00.500",
            ["PeekTotalTimeout"] = "00:00:00.500",
            ["HandshakeTimeout"] = "00:00:01",
        });
        door.PublishApp("web", app.Port);
        using var client = door.ClientFor(door.HttpsPort);
        using var socket = new ClientWebSocket
        {
            Options = { HttpVersion = Version.Parse(version), HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact, KeepAliveInterval = TimeSpan.Zero },
        };
        await socket.ConnectAsync(new Uri("wss://web.home.test/"), client, default).WaitAsync(Patience);

        // Two that come later and say nothing, one after the other: when the second is cut off, the WebSocket has been silent for twice as long as that.
        for (var i = 0; i < 2; i++) await UntilCutOffAsync(door);
        await socket.SendAsync("still"u8.ToArray(), WebSocketMessageType.Text, true, default);
        var buffer = new byte[16];
        var received = await socket.ReceiveAsync(buffer, default).WaitAsync(Patience);

        Assert.That(Encoding.UTF8.GetString(buffer, 0, received.Count), Is.EqualTo("still"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default).WaitAsync(Patience);
    }

    [Test]
    public void IdleLimits_ByDefault_LeaveAnHourOfSilence()
    {
        var defaults = new IngressOptions();

        Assert.That(defaults.ForwardIdleTimeout, Is.GreaterThan(TimeSpan.FromHours(1)));
        Assert.That(defaults.SpliceIdleTimeout, Is.GreaterThan(TimeSpan.FromHours(1)));
    }

    /// <summary>A connection that asks once, and then waits too long with its next request.</summary>
    private static async Task UntilCutOffAsync(FrontDoor door)
    {
        await using var tls = await door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: other.home.test\r\n\r\n"u8.ToArray());
        var buffer = new byte[4096];
        Assert.That(await tls.ReadAsync(buffer).AsTask().WaitAsync(Patience), Is.Positive);
        while (await tls.ReadAsync(buffer).AsTask().WaitAsync(Patience) > 0)
        {
            // The rest of the answer, and then the end.
        }
    }

    /// <returns>How much had been sent when for half a second nothing more was taken.</returns>
    private static async Task<long> UntilItStallsAsync(CountedContent content)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        for (long seen = -1; seen != content.Sent || seen <= 0;)
        {
            seen = content.Sent;
            await timer.WaitForNextTickAsync();
        }
        return content.Sent;
    }

    private sealed class CountedContent : HttpContent
    {
        private long _sent;

        public long Sent => Volatile.Read(ref _sent);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var chunk = new byte[Chunk];
            while (_sent < Size)
            {
                await stream.WriteAsync(chunk);
                Volatile.Write(ref _sent, _sent + Chunk);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = Size;
            return true;
        }
    }
}
