using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Piccolo.Core.Http;

namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>How the content of an answer came out.</summary>
internal enum ContentEnd
{
    Complete,

    /// <summary>Complete, but followed by what nobody has asked for.</summary>
    Surplus,

    /// <summary>It ended too early, or its framing is wrong.</summary>
    Broken,

    ClientGone,
}

/// <summary>
/// Copies an answer's content to the client: received where the server will send it from, framing taken out in place. What the app has sent is sent on at
/// once; who is slow to take it slows the app down.
/// </summary>
internal static class AppContentCopy
{
    /// <summary>Room that is worth a receive. A block of the server has it, chunked or not.</summary>
    private const int Room = 2048;

    /// <summary>The server sends while we receive, and lets us wait when it has twice as much.</summary>
    private const int FlushAfter = 32 * 1024;

    /// <param name="early">What came with the head.</param>
    /// <param name="switched">Where to write to after a switch of protocols; null for the response's content.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<ContentEnd> RunAsync(AppConnection connection, Memory<byte> early, HttpContext context, PipeWriter? switched = null)
    {
        var socket = connection.Socket;
        var content = connection.Content;
        var response = context.Response;
        // Before the response starts: framing that is wrong from the beginning still gets a page.
        var begun = ContentVerdict.NeedMore;
        var hasSurplus = false;
        if (!early.IsEmpty)
        {
            begun = content.Take(early.Span, out var length, out var taken);
            if (begun == ContentVerdict.Malformed) return ContentEnd.Broken;
            hasSurplus = taken < early.Length;
            early = early[..length];
            if (begun == ContentVerdict.Complete && early.IsEmpty) return Finish(connection, context, hasSurplus);
        }
        var writer = switched ?? response.BodyWriter;
        var unsent = 0;
        var mustWait = early.IsEmpty && !socket.MayHaveBytes;
        var mustFlush = true;
        var hasFlushed = false;
        while (true)
        {
            // Before the first look for room: what is received before the head stands would be copied.
            if (!response.HasStarted) await response.StartAsync(CancellationToken.None);
            if (mustWait)
            {
                connection.ReturnBuffer();
                // Also the head alone: who opens a stream of events waits for it.
                if (mustFlush && !await connection.FlushAsync(context, writer)) return ContentEnd.ClientGone;
                (mustFlush, hasFlushed, unsent) = (false, true, 0);
                await socket.UntilReadableAsync();
            }
            var verdict = early.IsEmpty
                ? Receive(connection, writer.GetMemory(Room).Span, out var received, out var copied, out var isSurplus)
                : Give(writer.GetMemory(Room).Span, ref early, begun, out received, out copied, out isSurplus);
            isSurplus |= hasSurplus;
            if (received == 0)
            {
                if (!content.EndsWithConnection) return ContentEnd.Broken;
                if (hasFlushed && unsent > 0 && !await connection.FlushAsync(context, writer)) return ContentEnd.ClientGone;
                return Finish(connection, context, surplus: false);
            }
            if (received > 0) connection.Touch();
            if (copied > 0) writer.Advance(copied);
            unsent += copied;
            if (verdict == ContentVerdict.Complete)
            {
                // The server sends the last of an answer by itself only if nothing of it was sent before.
                if (hasFlushed && unsent > 0 && !await connection.FlushAsync(context, writer)) return ContentEnd.ClientGone;
                return Finish(connection, context, isSurplus);
            }
            if (verdict == ContentVerdict.Malformed) return ContentEnd.Broken;
            mustWait = received < 0 || (early.IsEmpty && !socket.MayHaveBytes);
            // Room that was asked for and not used is given back by a flush, too.
            mustFlush |= copied > 0 || received < 0;
            if (unsent < FlushAfter) continue;
            if (!await connection.FlushAsync(context, writer)) return ContentEnd.ClientGone;
            (mustFlush, hasFlushed, unsent) = (false, true, 0);
        }
    }

    /// <summary>Gives what came with the head; its framing was taken out before.</summary>
    private static ContentVerdict Give(Span<byte> room, ref Memory<byte> early, ContentVerdict begun, out int received, out int copied, out bool isSurplus)
    {
        isSurplus = false;
        received = copied = Math.Min(room.Length, early.Length);
        early.Span[..copied].CopyTo(room);
        early = early[copied..];
        return early.IsEmpty ? begun : ContentVerdict.NeedMore;
    }

    /// <param name="received">How much came; 0 is the end, -1 that there is nothing now.</param>
    private static ContentVerdict Receive(AppConnection connection, Span<byte> room, out int received, out int copied, out bool isSurplus)
    {
        (copied, isSurplus) = (0, false);
        received = connection.Socket.TryReceive(room);
        if (received <= 0) return ContentVerdict.NeedMore;
        var verdict = connection.Content.Take(room[..received], out copied, out var taken);
        isSurplus = taken < received;
        return verdict;
    }

    private static ContentEnd Finish(AppConnection connection, HttpContext context, bool surplus)
    {
        var lines = connection.Content.Trailers;
        if (!lines.IsEmpty)
        {
            var trailers = new ResponseHead();
            if (ResponseHeadParser.ParseTrailers(lines, trailers) != HeadVerdict.Head) return ContentEnd.Broken;
            ResponseCopy.CopyTrailers(lines, trailers, context);
        }
        return surplus ? ContentEnd.Surplus : ContentEnd.Complete;
    }
}
