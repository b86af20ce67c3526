using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Core.Http;

namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>
/// Speaks HTTP/1.1 with an app, in both directions at once: content goes to the app while its response is read. No message object, no copy of a response's
/// content on its way, and on a loop's thread no change of threads (ADR 0016). Only gRPC goes another way.
/// </summary>
internal sealed class AppExchange(AppConnections connections)
{
    private const int MaxRequestHead = 2 * 1024 * 1024;

    /// <summary>Bytes of all interim responses to one request (RFC 9110, 15.2). The server has no way to pass them on.</summary>
    private const int MaxInterim = 256 * 1024;

    private const int MaxRounds = 2;

    /// <summary>
    /// A connection on which the app was last heard longer ago may end just when we speak. What may be sent only once goes on a fresh one then: apps wait for
    /// at least two seconds for the next request.
    /// </summary>
    private static readonly TimeSpan MaxIdleBeforeUnsafe = TimeSpan.FromSeconds(1);

    // Used between two waits only.
    [ThreadStatic]
    private static ResponseHead? _head;

    private static ResponseHead Head => _head ??= new ResponseHead();

    private static ForwardResult TooLargeHead => new(ForwardOutcome.BadAnswer, "The head of the response is too large.");

    /// <summary>Does it all, but for the page of a failure.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ForwardResult> RunAsync(HttpContext context, int port, ForwardPlan plan, ForwardedFields forwarded, int? hstsMaxAge)
    {
        // A connection that waited may have been ended by the app just when we spoke. Safe methods may be sent again (RFC 9112, 9.3.1), on a fresh one.
        var connection = connections.TakeIdle(port, plan.IsRepeatable ? null : MaxIdleBeforeUnsafe);
        for (var round = 1; ; round++)
        {
            if (connection is null)
            {
                try
                {
                    connection = await connections.ConnectAsync(port, context.RequestAborted);
                }
                catch (Exception failure) when (failure is SocketException or TimeoutException or OperationCanceledException or IOException)
                {
                    return failure switch
                    {
                        TimeoutException => new(ForwardOutcome.TimedOut, "The app did not accept the connection in time."),
                        OperationCanceledException => new(ForwardOutcome.ClientGone),
                        SocketException { SocketErrorCode: not SocketError.ConnectionRefused } scarce =>
                            new(ForwardOutcome.Busy, $"No connection to the app could be opened: {scarce.SocketErrorCode}."),
                        IOException => new(ForwardOutcome.Busy, "No connection to the app could be opened: the kernel has no room for one more."),
                        _ => new(ForwardOutcome.Unavailable),
                    };
                }
            }
            var result = await OnConnectionAsync(connection, context, plan, forwarded, hstsMaxAge);
            if ((result.Outcome == ForwardOutcome.NotRead || (result.Outcome == ForwardOutcome.Stale && plan.IsRepeatable)) && round < MaxRounds)
            {
                connection = null;
                continue;
            }
            if (result.Outcome != ForwardOutcome.Done && context.Response.HasStarted) BreakOff(context);
            return result;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ForwardResult> OnConnectionAsync(
        AppConnection connection, HttpContext context, ForwardPlan plan, ForwardedFields forwarded, int? hstsMaxAge)
    {
        var wasUsed = connection.WasUsed;
        var mayBeStale = wasUsed;
        var leaving = default(CancellationTokenRegistration);
        RequestUpload? upload = null;
        var isGood = false;
        try
        {
            if (!TryWriteHead(connection, context, plan, forwarded, out var length)) return new(ForwardOutcome.BadField);
            var isSent = !plan.HasContent || TryAppend(connection, context.Request.BodyReader, plan, ref length);
            leaving = context.RequestAborted.UnsafeRegister(static c => ((AppConnection)c!).End(AppConnectionEnd.ClientAborted), connection);
            await connection.Socket.SendAsync(connection.Buffer[..length]);
            if (!isSent)
            {
                upload = new RequestUpload(connection, context.Request.BodyReader, plan.Framing);
                upload.Begin(plan.WaitsForContinue);
            }

            var buffer = connection.Buffer;
            var (filled, interim) = (0, 0);
            var verdict = HeadVerdict.NeedMore;
            while (true)
            {
                if (filled == buffer.Length)
                {
                    // The parser says when it is too large.
                    if (!connection.TryGrow(ResponseHeadParser.MaxHeadBytes + 1)) return TooLargeHead;
                    buffer = connection.Buffer;
                }
                var received = connection.Socket.TryReceive(buffer.Span[filled..]);
                if (received < 0)
                {
                    await connection.Socket.UntilReadableAsync();
                    continue;
                }
                if (received == 0) return NoAnswer(mayBeStale, "The app closed the connection before its response.");
                mayBeStale = false;
                connection.Touch();
                filled += received;
                while ((verdict = ResponseHeadParser.Parse(buffer.Span[..filled], Head)) == HeadVerdict.Head && IsInterim(Head.Status))
                {
                    if (Head.Status == StatusCodes.Status100Continue) upload?.Continue();
                    interim += Head.Length;
                    if (interim > MaxInterim) return new(ForwardOutcome.BadAnswer, "The app sends interim responses without end.");
                    buffer.Span[Head.Length..filled].CopyTo(buffer.Span);
                    filled -= Head.Length;
                }
                if (verdict != HeadVerdict.NeedMore) break;
            }
            if (verdict == HeadVerdict.TooLarge) return TooLargeHead;
            if (verdict != HeadVerdict.Head) return new(ForwardOutcome.BadAnswer, "The head of the response is malformed.");
            if (Head.Status == StatusCodes.Status101SwitchingProtocols)
                return await WebSocketSwitch.RunAsync(connection, Head, buffer[..filled], context, plan);
            // An app that has waited too long for a request says so and has not read ours (RFC 9110, 15.5.9). With content it is the response: that cannot
            // be sent again.
            var hasStoppedWaiting = wasUsed && Head is { Status: StatusCodes.Status408RequestTimeout, SaysClose: true };
            if (hasStoppedWaiting && !plan.HasContent) return new(ForwardOutcome.NotRead, "The app had stopped waiting for a request.");

            var (framing, mayFollow) = Begin(connection, buffer.Span, context, plan, hstsMaxAge, out var isOver);
            if (framing == ContentFraming.Unknown) return new(ForwardOutcome.BadAnswer, "The response has a transfer coding other than chunked.");
            var rest = Head.Length..filled;
            if (!isOver)
            {
                var copied = await AppContentCopy.RunAsync(connection, buffer[rest], context);
                if (copied == ContentEnd.ClientGone) return new(ForwardOutcome.ClientGone);
                if (copied == ContentEnd.Broken) return new(ForwardOutcome.BadAnswer, "The content of the response ended early or is malformed.");
                isGood = mayFollow && copied == ContentEnd.Complete;
            }
            else
            {
                // What follows an answer that is over is no answer to anything.
                isGood = mayFollow && rest.Start.Value == filled;
            }
            if (upload is { IsComplete: false }) isGood &= await FinishUploadAsync(upload, context, mayFollow && isGood);
            return new(ForwardOutcome.Done);
        }
        catch (ConnectionAbortedException)
        {
            return connection.EndedBecause switch
            {
                AppConnectionEnd.Silent => new(ForwardOutcome.TimedOut, "Neither the app nor the client sent anything for too long."),
                AppConnectionEnd.ClientAborted or AppConnectionEnd.SlowClient => new(ForwardOutcome.ClientGone),
                AppConnectionEnd.ContentFailed => new(ForwardOutcome.BadContent),
                _ => new(ForwardOutcome.BadAnswer, "The connection to the app was ended."),
            };
        }
        catch (OperationCanceledException)
        {
            return new(ForwardOutcome.ClientGone);
        }
        catch (SocketException failure)
        {
            return NoAnswer(mayBeStale && !context.Response.HasStarted, $"The connection to the app broke: {failure.SocketErrorCode}.");
        }
        catch (BadHttpRequestException)
        {
            return new(ForwardOutcome.BadContent);
        }
        catch (InvalidOperationException)
        {
            return new(ForwardOutcome.BadAnswer, "The response has a field, or content, that the server refuses to send on.");
        }
        finally
        {
            if (upload is not null)
            {
                await upload.StopAsync();
                upload.Dispose();
            }
            // False: it has begun to end the connection for the client that left.
            if (!leaving.Unregister() && leaving.Token.CanBeCanceled) isGood = false;
            if (isGood && connection.EndedBecause == AppConnectionEnd.None)
            {
                connections.Return(connection);
            }
            else
            {
                connection.Dispose();
                connection.ReleaseRequestState();
            }
        }
    }

    private static bool IsInterim(int status) => status is < 200 and not StatusCodes.Status101SwitchingProtocols;

    private static ForwardResult NoAnswer(bool mayBeStale, string cause) => new(mayBeStale ? ForwardOutcome.Stale : ForwardOutcome.BadAnswer, cause);

    /// <summary>
    /// The response is over, the content is not. An app that has refused it, or closes, gets no more; for another one the client's response ends first.
    /// </summary>
    /// <returns>Whether all of the content was sent.</returns>
    private static async ValueTask<bool> FinishUploadAsync(RequestUpload upload, HttpContext context, bool isWanted)
    {
        if (!isWanted || context.Response.StatusCode >= StatusCodes.Status400BadRequest) return false;
        await context.Response.CompleteAsync();
        return await upload.Ended == UploadEnd.Complete;
    }

    private static (ContentFraming Framing, bool MayFollow) Begin(
        AppConnection connection, ReadOnlySpan<byte> bytes, HttpContext context, ForwardPlan plan, int? hstsMaxAge, out bool isOver)
    {
        var head = Head;
        var framing = head.FramingOf(plan.IsHead);
        var mayFollow = head.MayFollow(framing);
        // There may be content in front of the next answer, but there is none for the client (RFC 9110, 15.3.6).
        if (head.Status == StatusCodes.Status205ResetContent && framing != ContentFraming.None)
        {
            mayFollow &= head.ContentLength == 0 && framing == ContentFraming.Length;
            framing = ContentFraming.None;
        }
        isOver = connection.Content.Begin(framing, head.ContentLength ?? 0);
        if (framing != ContentFraming.Unknown) ResponseCopy.Copy(bytes, head, context, framing, hstsMaxAge);
        return (framing, mayFollow);
    }

    /// <summary>An answer that ended too early must not look like one that is whole.</summary>
    private static void BreakOff(HttpContext context)
    {
        const int InternalError = 2;
        if (context.Features.Get<IHttpResetFeature>() is { } stream) stream.Reset(InternalError);
        else context.Abort();
    }

    private static bool TryWriteHead(AppConnection connection, HttpContext context, ForwardPlan plan, ForwardedFields forwarded, out int length)
    {
        var request = context.Request;
        var isHttp2 = HttpProtocol.IsHttp2(request.Protocol);
        while (true)
        {
            var verdict = RequestHeadWriter.Write(connection.Buffer.Span, plan, isHttp2, request.Headers, forwarded, out length);
            if (verdict != WriteVerdict.TooSmall) return verdict == WriteVerdict.Written;
            if (!connection.TryGrow(MaxRequestHead)) return false;
        }
    }

    /// <summary>Adds content that is all there to the head, so that both leave in one call.</summary>
    /// <returns>False when it is to be sent by itself.</returns>
    private static bool TryAppend(AppConnection connection, PipeReader content, ForwardPlan plan, ref int length)
    {
        if (plan.Framing != RequestFraming.Length || plan.WaitsForContinue || plan.Length > connection.Buffer.Length - length) return false;
        if (!content.TryRead(out var read)) return false;
        if (read.Buffer.Length != plan.Length)
        {
            content.AdvanceTo(read.Buffer.Start);
            return false;
        }
        read.Buffer.CopyTo(connection.Buffer.Span[length..]);
        length += (int)plan.Length;
        content.AdvanceTo(read.Buffer.End);
        return true;
    }
}
