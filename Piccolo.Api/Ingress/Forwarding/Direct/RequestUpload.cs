using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>How the sending of a request's content came out.</summary>
internal enum UploadEnd
{
    Complete,

    /// <summary>The app takes no more. What it has answered may still be there to be read.</summary>
    AppStopped,

    /// <summary>The client broke off, or its framing is wrong.</summary>
    ClientFailed,

    /// <summary>We stopped: the app has answered.</summary>
    Stopped,
}

/// <summary>
/// Sends a request's content to an app while somebody else reads the app's answer: an app may answer before it has all, or any of it (RFC 9112, 9.3). What the
/// client has sent is sent on at once. One at a time per connection; <see cref="Dispose"/> only after <see cref="StopAsync"/>.
/// </summary>
internal sealed class RequestUpload(AppConnection connection, PipeReader content, RequestFraming framing) : IDisposable
{
    /// <summary>An app that does not know the expectation never asks for the content (RFC 9110, 10.1.1).</summary>
    private static readonly TimeSpan ContinueTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Room in front of a chunk for its size, which is at most the block's, and behind it for the end of its line.</summary>
    private const int ChunkHead = 8;

    private const int ChunkTail = 2;

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _continued = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<UploadEnd> _task = Task.FromResult(UploadEnd.Stopped);

    /// <summary>Never fails.</summary>
    public Task<UploadEnd> Ended => _task;

    public bool IsComplete { get; private set; }

    /// <param name="waitForContinue">Until <see cref="Continue"/>, but not for ever.</param>
    public void Begin(bool waitForContinue) => _task = RunAsync(waitForContinue);

    /// <summary>The app asks for the content.</summary>
    public void Continue() => _continued.TrySetResult();

    /// <summary>Sends no more, and waits until nobody uses the request or the connection's sending side.</summary>
    public async ValueTask StopAsync()
    {
        if (_task.IsCompleted) return;
        await _stop.CancelAsync();
        // It may wait for room that the app never makes: what was answered has been read, the connection is of no more use.
        if (!_task.IsCompleted) connection.End(AppConnectionEnd.ClientAborted);
        await _task;
    }

    public void Dispose() => _stop.Dispose();

    private async Task<UploadEnd> RunAsync(bool waitForContinue)
    {
        using var block = framing == RequestFraming.Chunked ? connection.RentBlock() : null;
        try
        {
            if (waitForContinue) await _continued.Task.WaitAsync(ContinueTimeout, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (true)
            {
                var read = await ReadAsync();
                if (read is not { } result) return _stop.IsCancellationRequested ? UploadEnd.Stopped : Fail();
                foreach (var segment in result.Buffer)
                {
                    if (block is null) await SendAsync(segment);
                    else await SendChunksAsync(segment, block.Memory);
                }
                content.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) break;
            }
            if (block is not null) await SendAsync("0\r\n\r\n"u8.ToArray());
            IsComplete = true;
            return UploadEnd.Complete;
        }
        catch (Exception failure) when (failure is SocketException or ConnectionAbortedException)
        {
            return _stop.IsCancellationRequested ? UploadEnd.Stopped : UploadEnd.AppStopped;
        }
    }

    /// <returns>Null when the client broke off, or we stopped.</returns>
    private async ValueTask<ReadResult?> ReadAsync()
    {
        try
        {
            var result = await content.ReadAsync(_stop.Token);
            return result.IsCanceled ? null : result;
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException or InvalidOperationException)
        {
            // BadHttpRequestException is an IOException: its content is cut short, too slow, or framed wrongly.
            return null;
        }
    }

    /// <summary>Wakes whoever waits for an answer that will not come.</summary>
    private UploadEnd Fail()
    {
        connection.End(AppConnectionEnd.ContentFailed);
        return UploadEnd.ClientFailed;
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        await connection.Socket.SendAsync(bytes);
        connection.Touch();
    }

    private async ValueTask SendChunksAsync(ReadOnlyMemory<byte> bytes, Memory<byte> block)
    {
        var room = block.Length - ChunkHead - ChunkTail;
        while (!bytes.IsEmpty)
        {
            var length = Math.Min(room, bytes.Length);
            await SendAsync(Chunk(bytes.Span[..length], block));
            bytes = bytes[length..];
        }
    }

    /// <summary>The content as one chunk (RFC 9112, 7.1), within <paramref name="block"/>.</summary>
    private static ReadOnlyMemory<byte> Chunk(ReadOnlySpan<byte> bytes, Memory<byte> block)
    {
        Span<byte> size = stackalloc byte[ChunkHead];
        bytes.Length.TryFormat(size, out var digits, "x", CultureInfo.InvariantCulture);
        "\r\n"u8.CopyTo(size[digits..]);
        var start = ChunkHead - digits - 2;
        size[..(digits + 2)].CopyTo(block.Span[start..]);
        bytes.CopyTo(block.Span[ChunkHead..]);
        "\r\n"u8.CopyTo(block.Span[(ChunkHead + bytes.Length)..]);
        return block[start..(ChunkHead + bytes.Length + ChunkTail)];
    }
}
