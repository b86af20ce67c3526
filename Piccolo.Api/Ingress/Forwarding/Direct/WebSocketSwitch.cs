using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Core.Http;

namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>A response with status 101 to a request for a WebSocket (RFC 6455; over HTTP/2, RFC 8441).</summary>
internal static class WebSocketSwitch
{
    /// <summary>How long an app may go on after the client of its WebSocket has ended its direction.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The app agrees to a WebSocket: from here on both sides send whatever they like until one ends.</summary>
    /// <param name="head">Of the thread: read before the first wait only.</param>
    /// <param name="bytes">The head, and what came with it.</param>
    public static async ValueTask<ForwardResult> RunAsync(
        AppConnection connection, ResponseHead head, Memory<byte> bytes, HttpContext context, ForwardPlan plan)
    {
        if (plan.Framing != RequestFraming.WebSocket) return new(ForwardOutcome.BadAnswer, "The app switches protocols although nobody asked for it.");
        var early = bytes[head.Length..];
        ResponseCopy.Copy(bytes.Span, head, context, ContentFraming.None, hstsMaxAge: null);
        var headers = context.Response.Headers;
        Stream client;
        if (plan.WebSocketKey is { } key)
        {
            if (headers.SecWebSocketAccept != WebSocketAccept.Of(key)) return new(ForwardOutcome.BadAnswer, "The app did not accept the WebSocket's key.");
            headers.Remove("Sec-WebSocket-Accept");
            context.Response.StatusCode = StatusCodes.Status200OK;
            client = await context.Features.GetRequiredFeature<IHttpExtendedConnectFeature>().AcceptAsync();
        }
        else
        {
            headers.Upgrade = "websocket";
            client = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        }
        connection.Content.Begin(ContentFraming.UntilEnd, 0);
        // Without a buffer while nobody speaks.
        var reader = PipeReader.Create(client, new StreamPipeReaderOptions(useZeroByteReads: true, leaveOpen: true));
        using var upload = new RequestUpload(connection, reader, RequestFraming.WebSocket);
        upload.Begin(waitForContinue: false);
        var writer = PipeWriter.Create(client, new StreamPipeWriterOptions(leaveOpen: true));
        var download = AppContentCopy.RunAsync(connection, early, context, writer).AsTask();
        if (await Task.WhenAny(download, upload.Ended) == upload.Ended)
        {
            if (upload.IsComplete) connection.Socket.EndSending();
            else connection.End(AppConnectionEnd.ClientAborted);
            await ((Task)download).WaitAsync(CloseTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!download.IsCompleted) connection.End(AppConnectionEnd.ClientAborted);
        }
        try
        {
            await download;
        }
        finally
        {
            await upload.StopAsync();
            await reader.CompleteAsync();
            await writer.CompleteAsync();
        }
        return new(ForwardOutcome.Done);
    }
}
