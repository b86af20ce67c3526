using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>What streams ask of their session.</summary>
internal sealed partial class RelaySession
{
    private volatile bool _confirmsTails;
    private GrantBudget? _grants;

    /// <summary>Whether this relay acknowledged padding, so that waiting for it is worth while.</summary>
    public bool ConfirmsTails { get => _confirmsTails; set => _confirmsTails = value; }

    /// <summary>What the relay may have under way to us for all uploads together.</summary>
    public GrantBudget Grants => _grants ??= new GrantBudget(() => _leastRoundTrip, Time);

    public long BufferedBytes => Interlocked.Read(ref _bufferedBytes);

    public bool Schedule(TunnelStream stream) => Writer.Schedule(stream);

    public void PostGrant(TunnelStream stream) => Require(Writer.PostGrant(stream));

    /// <summary>Counts what the app of a stream has not read yet.</summary>
    /// <returns>False when all streams together hold too much.</returns>
    public bool TryBuffer(int bytes)
    {
        if (Interlocked.Add(ref _bufferedBytes, bytes) <= scope.Options.MaxBufferedBytes) return true;
        Unbuffer(bytes);
        return false;
    }

    public void Unbuffer(long bytes) => Interlocked.Add(ref _bufferedBytes, -bytes);

    /// <summary>A stream has sent all it will. The relay hears of it unless the stream was already gone.</summary>
    public void Finish(TunnelStream stream, string reason)
    {
        if (Remove(stream)) Require(Writer.Post(ControlMessage.Disconnect(stream.Key, reason)));
    }

    /// <returns>True for the one caller that took it out, who then decides what the relay is told.</returns>
    private bool Remove(TunnelStream stream)
    {
        if (!_streams.TryRemove(KeyValuePair.Create(stream.Key, stream))) return false;
        lock (_pingGate) ClearSuspicion(stream);
        stream.OnRemoved();
        scope.Addresses.Leave(stream.Client);
        if (Interlocked.Decrement(ref _streamCount) == 0) _emptied.Raise();
        return true;
    }

    private void Require(bool posted)
    {
        if (!posted) End(TunnelFailure.Flooded);
    }

    private void End(TunnelFailure verdict)
    {
        Interlocked.CompareExchange(ref _verdict, verdict, null);
        _socket!.Abort();
    }
}
