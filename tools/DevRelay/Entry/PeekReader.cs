using System.Net.Sockets;
using Piccolo.DevRelay.Streams;

namespace Piccolo.DevRelay.Entry;

/// <summary>
/// Reads a new user's first bytes and keeps them all. Three clocks: for the first byte, from each read to the next, and for everything together.
/// </summary>
internal sealed class PeekReader(UserConnection user, RelayClocks clocks, TimeProvider time, int limit, CancellationToken stopping)
{
    private const int ReadSize = 4_096;

    private readonly long _accepted = time.GetTimestamp();
    private byte[] _buffer = new byte[ReadSize];
    private int _count;
    private long _stage = time.GetTimestamp();

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _count);

    /// <summary>Starts the clock of a new question; the clock for everything runs on.</summary>
    public void BeginStage() => _stage = time.GetTimestamp();

    /// <returns>False when the user has finished, failed, or let a clock run out, or when more bytes than the limit are there.</returns>
    public async ValueTask<bool> ReadMoreAsync()
    {
        var patience = (_count == 0 ? clocks.PeekFirstByte : clocks.PeekExtension) - time.GetElapsedTime(_stage);
        var left = clocks.PeekTotal - time.GetElapsedTime(_accepted);
        if (left < patience) patience = left;
        if (patience <= TimeSpan.Zero || _count > limit) return false;
        if (_count == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);

        using var clock = new CancellationTokenSource(patience, time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, stopping);
        try
        {
            var read = await user.ReadAsync(_buffer.AsMemory(_count, Math.Min(ReadSize, _buffer.Length - _count)), waiting.Token);
            _count += read;
            _stage = time.GetTimestamp();
            return read > 0;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !stopping.IsCancellationRequested)
        {
            return false;
        }
    }
}
