using System.Runtime.CompilerServices;
using Piccolo.Core.Http;

namespace Piccolo.Api.Ingress.Apps;

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
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<ContentEnd> RunAsync(AppConnection connection, ReadOnlyMemory<byte> early, HttpContext context)
    {
        var socket = connection.Socket;
        var content = connection.Content;
        var response = context.Response;
        var writer = response.BodyWriter;
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
                connection.GiveBuffer();
                // Also the head alone: who opens a stream of events waits for it.
                if (mustFlush && !await connection.FlushAsync(context)) return ContentEnd.ClientGone;
                (mustFlush, hasFlushed, unsent) = (false, true, 0);
                await socket.UntilReadableAsync();
            }
            var verdict = Receive(connection, writer.GetMemory(Room).Span, ref early, out var received, out var copied, out var isSurplus);
            if (received == 0 && hasFlushed && unsent > 0 && content.EndsWithConnection && !await connection.FlushAsync(context)) return ContentEnd.ClientGone;
            if (received == 0) return content.EndsWithConnection ? Finish(connection, context, surplus: false) : ContentEnd.Broken;
            if (received > 0) connection.Heard();
            if (copied > 0) writer.Advance(copied);
            unsent += copied;
            if (verdict == ContentVerdict.Complete)
            {
                // The server sends the last of an answer by itself only if nothing of it was sent before.
                if (hasFlushed && unsent > 0 && !await connection.FlushAsync(context)) return ContentEnd.ClientGone;
                return Finish(connection, context, isSurplus || !early.IsEmpty);
            }
            if (verdict == ContentVerdict.Malformed) return ContentEnd.Broken;
            mustWait = received < 0 || (early.IsEmpty && !socket.MayHaveBytes);
            // Room that was asked for and not used is given back by a flush, too.
            mustFlush |= copied > 0 || received < 0;
            if (unsent < FlushAfter) continue;
            if (!await connection.FlushAsync(context)) return ContentEnd.ClientGone;
            (mustFlush, hasFlushed, unsent) = (false, true, 0);
        }
    }

    /// <param name="received">How much came; 0 is the end, -1 that there is nothing now.</param>
    private static ContentVerdict Receive(
        AppConnection connection, Span<byte> room, ref ReadOnlyMemory<byte> early, out int received, out int copied, out bool isSurplus)
    {
        (copied, isSurplus) = (0, false);
        if (early.IsEmpty)
        {
            received = connection.Socket.TryReceive(room);
        }
        else
        {
            received = Math.Min(room.Length, early.Length);
            early.Span[..received].CopyTo(room);
            early = early[received..];
        }
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
            AppAnswer.CopyTrailers(lines, trailers, context);
        }
        return surplus ? ContentEnd.Surplus : ContentEnd.Complete;
    }
}
