using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Core.Tunnel.Wire;

/// <summary>
/// The socket below TLS. What is written is gathered until it is flushed, because TLS cuts every write into records of 16 KiB and each would be a system call
/// and a packet of its own; what is read is read ahead. One reader and one writer at a time.
/// </summary>
internal sealed class RelayTransport(Socket socket, TimeProvider time) : Stream
{
    private const int BufferBytes = 128 * 1024;

    private readonly UnsentLimit _unsent = new(socket, time);
    private readonly byte[] _output = new byte[BufferBytes];
    private readonly byte[] _input = new byte[BufferBytes];
    private int _gathered;
    private int _read;
    private int _filled;

    /// <summary>Off until the handshake is over, which does not flush.</summary>
    public bool Gathers { get; set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public static async ValueTask<RelayTransport> ConnectAsync(DnsEndPoint relay, TimeProvider time, CancellationToken cancellationToken) =>
        new(await HappyEyeballs.ConnectAsync(relay, TimeProvider.System, cancellationToken), time);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_read == _filled)
        {
            // Whoever brings no room only waits until there is something.
            if (buffer.IsEmpty) return await ReceiveAsync(buffer, cancellationToken);
            (_read, _filled) = (0, 0);
            _filled = await ReceiveAsync(_input, cancellationToken);
        }
        var count = Math.Min(buffer.Length, _filled - _read);
        _input.AsMemory(_read, count).CopyTo(buffer);
        _read += count;
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_gathered + buffer.Length > _output.Length) await FlushAsync(cancellationToken);
        if (!Gathers || buffer.Length > _output.Length)
        {
            await SendAsync(buffer, cancellationToken);
            return;
        }
        buffer.CopyTo(_output.AsMemory(_gathered));
        _gathered += buffer.Length;
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        var count = _gathered;
        if (count == 0) return;
        _gathered = 0;
        await SendAsync(_output.AsMemory(0, count), cancellationToken);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
        // Nothing here is synchronous; a close does not wait for what nobody flushed.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) socket.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
        }
        catch (SocketException failure)
        {
            throw new IOException(failure.Message, failure);
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            var count = bytes.Length;
            while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
            _unsent.Sent(count);
        }
        catch (SocketException failure)
        {
            throw new IOException(failure.Message, failure);
        }
    }
}
