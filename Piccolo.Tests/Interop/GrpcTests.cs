using System.Net;
using System.Net.Security;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Interop;

/// <summary>
/// gRPC's own client for .NET, to an app that speaks gRPC's framing: unary, both streams at once, and an error that has nothing but trailers.
/// </summary>
[Category("Interop")]
[Category("NeedsProcess")]
internal sealed class GrpcTests
{
    private static readonly Marshaller<string> Text = Marshallers.Create(Encoding.UTF8.GetBytes, Encoding.UTF8.GetString);

    private FrontDoor _door = null!;

    [SetUp]
    public async Task SetUp() => _door = await FrontDoor.StartAsync();

    [TearDown]
    public async Task TearDown() => await _door.DisposeAsync();

    [Test]
    public async Task Calls_ToAListenerOfGrpc_AreForwardedWithTrailers()
    {
        await using var app = await FakeApp.StartAsync(ServeAsync, HttpProtocols.Http2);
        _door.PublishApp("rpc", app.Port, ListenerFlow.Tcp, ListenerProtocol.Grpc);
        using var http = _door.ClientFor(_door.HttpsPort);

        await CallAsync(http);
    }

    [Test]
    public async Task Calls_ThroughTheRelayToAnAppWithItsOwnCertificate_AreNotTouched()
    {
        using var own = _door.Ca.IssueLeaf("rpc.home.test");
        await using var app = await FakeApp.StartAsync(ServeAsync, HttpProtocols.Http2, own);
        _door.PublishApp("rpc", app.Port, ListenerFlow.Tls, ListenerProtocol.Grpc, withCertificate: false);
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = (_, _) => ValueTask.FromResult(_door.Tunnel.Open("rpc.home.test", 443, true, IPEndPoint.Parse("198.51.100.7:51514")).User),
            // The app's chain has no intermediate to send: its very certificate is what is expected.
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate!.GetCertHashString() == own.GetCertHashString(),
            },
        });

        await CallAsync(http);
    }

    private static async Task CallAsync(HttpClient http)
    {
        using var channel = GrpcChannel.ForAddress("https://rpc.home.test", new GrpcChannelOptions { HttpClient = http });
        var calls = channel.CreateCallInvoker();
        var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + FrontDoor.Patience);

        using var unary = calls.AsyncUnaryCall(Method(MethodType.Unary, "echo"), null, options, "hello");
        Assert.That(await unary.ResponseAsync, Is.EqualTo("hello"));
        Assert.That((unary.GetStatus().StatusCode, unary.GetTrailers().GetValue("x-seen")), Is.EqualTo((StatusCode.OK, "1")));

        using var duplex = calls.AsyncDuplexStreamingCall(Method(MethodType.DuplexStreaming, "echo"), null, options);
        for (var i = 0; i < 3; i++)
        {
            // Each answer comes while the request is still open.
            await duplex.RequestStream.WriteAsync($"part {i}");
            Assert.That(await duplex.ResponseStream.MoveNext(CancellationToken.None), Is.True);
            Assert.That(duplex.ResponseStream.Current, Is.EqualTo($"part {i}"));
        }
        await duplex.RequestStream.CompleteAsync();
        Assert.That(await duplex.ResponseStream.MoveNext(CancellationToken.None), Is.False);
        Assert.That(duplex.GetTrailers().GetValue("x-seen"), Is.EqualTo("3"));

        using var refused = calls.AsyncUnaryCall(Method(MethodType.Unary, "refuse"), null, options, "hello");
        var error = await Assert.ThrowsAsync<RpcException>(async () => await refused.ResponseAsync);
        Assert.That((error!.StatusCode, error.Status.Detail), Is.EqualTo((StatusCode.PermissionDenied, "not for you")));
    }

    private static Method<string, string> Method(MethodType type, string name) => new(type, "sample.Echo", name, Text, Text);

    /// <summary>gRPC over HTTP/2: each message after a flag and its length, the status in trailers.</summary>
    private static async Task ServeAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        if (context.Request.Path.Value!.EndsWith("/refuse", StringComparison.Ordinal))
        {
            context.Response.Headers["grpc-status"] = "7";
            context.Response.Headers["grpc-message"] = "not for you";
            return;
        }
        var seen = 0;
        var prefix = new byte[5];
        while (await context.Request.Body.ReadAtLeastAsync(prefix, prefix.Length, throwOnEndOfStream: false) == prefix.Length)
        {
            var message = new byte[System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
            await context.Request.Body.ReadExactlyAsync(message);
            await context.Response.Body.WriteAsync((byte[])[.. prefix, .. message]);
            await context.Response.Body.FlushAsync();
            seen++;
        }
        context.Response.AppendTrailer("grpc-status", "0");
        context.Response.AppendTrailer("x-seen", $"{seen}");
    }
}
