using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Core.Http;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.Apps;

/// <summary>
/// Speaks HTTP/1.1 with an app for requests that ask and bring nothing: they are most of the traffic, and may be asked again. No message object, no
/// copy of content on its way, and on a loop's thread no change of threads (ADR 0016). Everything else goes through YARP.
/// </summary>
internal sealed class AppExchange(AppConnections connections)
{
    private const int MaxRequestHead = 2 * 1024 * 1024;

    /// <summary>Answers before the answer (RFC 9110, 15.2); browsers get none of them.</summary>
    private const int MaxInterim = 16;

    private const int MaxRounds = 2;

    // Used between two waits only.
    [ThreadStatic]
    private static ResponseHead? _head;

    private static ResponseHead Head => _head ??= new ResponseHead();

    /// <summary>Whether a request is of those that this way is for.</summary>
    public static bool CanTake(HttpContext context, PublishedListener listener, string target)
    {
        var request = context.Request;
        if (listener.Definition.Protocol == ListenerProtocol.Grpc || target is not ['/', ..]) return false;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !HttpMethods.IsOptions(request.Method)) return false;
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: false }) return false;
        var headers = request.Headers;
        return headers.Upgrade.Count == 0 && headers.Expect.Count == 0 && headers.TransferEncoding.Count == 0;
    }

    /// <summary>Does it all, but for the page of a failure.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ForwardOutcome> RunAsync(HttpContext context, int port, ForwardedFields forwarded, int? hstsMaxAge)
    {
        // A connection that waited may have been ended by the app just when we spoke. Safe methods may be asked again (RFC 9112, 9.3.1), on a fresh one.
        var connection = connections.TakeIdle(port);
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
                    return failure switch { TimeoutException => ForwardOutcome.TimedOut, OperationCanceledException => ForwardOutcome.ClientGone, _ => ForwardOutcome.Unavailable };
                }
            }
            var outcome = await OnConnectionAsync(connection, context, forwarded, hstsMaxAge);
            if (outcome is null && round < MaxRounds)
            {
                connection = null;
                continue;
            }
            if (outcome != ForwardOutcome.Done && context.Response.HasStarted) BreakOff(context);
            return outcome ?? ForwardOutcome.BadAnswer;
        }
    }

    /// <returns>Null when the connection was stale: nothing has come of the request yet.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ForwardOutcome?> OnConnectionAsync(AppConnection connection, HttpContext context, ForwardedFields forwarded, int? hstsMaxAge)
    {
        var mayBeStale = connection.WasUsed;
        var leaving = default(CancellationTokenRegistration);
        var isGood = false;
        try
        {
            if (!TryWriteHead(connection, context, forwarded, out var length)) return ForwardOutcome.BadRequest;
            leaving = context.RequestAborted.UnsafeRegister(static c => ((AppConnection)c!).End(AppConnectionEnd.Given), connection);
            await connection.Socket.SendAsync(connection.Buffer[..length]);

            var buffer = connection.Buffer;
            var (filled, interim) = (0, 0);
            var verdict = HeadVerdict.NeedMore;
            while (true)
            {
                if (filled == buffer.Length)
                {
                    // The parser says when it is too large.
                    if (!connection.TryGrow(ResponseHeadParser.MaxLength + 1)) return ForwardOutcome.BadAnswer;
                    buffer = connection.Buffer;
                }
                var received = connection.Socket.TryReceive(buffer.Span[filled..]);
                if (received < 0)
                {
                    await connection.Socket.UntilReadableAsync();
                    continue;
                }
                if (received == 0) return mayBeStale ? null : ForwardOutcome.BadAnswer;
                mayBeStale = false;
                connection.Heard();
                filled += received;
                while ((verdict = ResponseHeadParser.Parse(buffer.Span[..filled], Head)) == HeadVerdict.Head && Head.Status < 200)
                {
                    // Nobody has asked to switch.
                    if (Head.Status == StatusCodes.Status101SwitchingProtocols || ++interim > MaxInterim) return ForwardOutcome.BadAnswer;
                    buffer.Span[Head.Length..filled].CopyTo(buffer.Span);
                    filled -= Head.Length;
                }
                if (verdict != HeadVerdict.NeedMore) break;
            }
            if (verdict != HeadVerdict.Head) return ForwardOutcome.BadAnswer;

            var (framing, mayFollow) = Begin(connection, buffer.Span, context, hstsMaxAge, out var isOver);
            if (framing == ContentFraming.Unknown) return ForwardOutcome.BadAnswer;
            var rest = Head.Length..filled;
            if (!isOver)
            {
                var copied = await AppContentCopy.RunAsync(connection, buffer[rest], context);
                if (copied == ContentEnd.ClientGone) return ForwardOutcome.ClientGone;
                if (copied == ContentEnd.Broken) return ForwardOutcome.BadAnswer;
                isGood = mayFollow && copied == ContentEnd.Complete;
            }
            else
            {
                // What follows an answer that is over is no answer to anything.
                isGood = mayFollow && rest.Start.Value == filled;
            }
            return ForwardOutcome.Done;
        }
        catch (ConnectionAbortedException)
        {
            return connection.EndedBecause switch
            {
                AppConnectionEnd.Silent => ForwardOutcome.TimedOut,
                AppConnectionEnd.Given => ForwardOutcome.ClientGone,
                _ => ForwardOutcome.BadAnswer,
            };
        }
        catch (OperationCanceledException)
        {
            return ForwardOutcome.ClientGone;
        }
        catch (SocketException)
        {
            return mayBeStale && !context.Response.HasStarted ? null : ForwardOutcome.BadAnswer;
        }
        catch (InvalidOperationException)
        {
            // The server refuses a field, or content where there may be none.
            return ForwardOutcome.BadAnswer;
        }
        finally
        {
            // False: it has begun to end the connection for the client that left.
            if (!leaving.Unregister() && leaving.Token.CanBeCanceled) isGood = false;
            if (isGood && connection.EndedBecause == AppConnectionEnd.None)
            {
                connections.Return(connection);
            }
            else
            {
                connection.Dispose();
                connection.Rest();
            }
        }
    }

    private static (ContentFraming Framing, bool MayFollow) Begin(AppConnection connection, ReadOnlySpan<byte> bytes, HttpContext context, int? hstsMaxAge, out bool isOver)
    {
        var head = Head;
        var framing = head.FramingOf(HttpMethods.IsHead(context.Request.Method));
        var mayFollow = head.MayFollow(framing);
        // There may be content in front of the next answer, but there is none for the client (RFC 9110, 15.3.6).
        if (head.Status == StatusCodes.Status205ResetContent && framing != ContentFraming.None)
        {
            mayFollow &= head.ContentLength == 0 && framing == ContentFraming.Length;
            framing = ContentFraming.None;
        }
        isOver = connection.Content.Begin(framing, head.ContentLength ?? 0);
        if (framing != ContentFraming.Unknown) AppAnswer.Copy(bytes, head, context, framing, hstsMaxAge);
        return (framing, mayFollow);
    }

    /// <summary>An answer that ended too early must not look like one that is whole.</summary>
    private static void BreakOff(HttpContext context)
    {
        const int InternalError = 2;
        if (context.Features.Get<IHttpResetFeature>() is { } stream) stream.Reset(InternalError);
        else context.Abort();
    }

    private static bool TryWriteHead(AppConnection connection, HttpContext context, ForwardedFields forwarded, out int length)
    {
        var request = context.Request;
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var isHttp2 = HttpProtocol.IsHttp2(request.Protocol);
        while (true)
        {
            var verdict = RequestHeadWriter.Write(connection.Buffer.Span, request.Method, target, isHttp2, request.Headers, forwarded, out length);
            if (verdict != WriteVerdict.TooSmall) return verdict == WriteVerdict.Written;
            if (!connection.TryGrow(MaxRequestHead)) return false;
        }
    }
}
