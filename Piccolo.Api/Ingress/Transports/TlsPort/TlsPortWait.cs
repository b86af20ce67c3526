using Piccolo.Api.Ingress.Limits;

namespace Piccolo.Api.Ingress.Transports.TlsPort;

/// <summary>
/// What a client of our TLS port holds while more of its first bytes is awaited: a place among the waiting, one on the loop, and a timer. On the loop's
/// thread only.
/// </summary>
internal sealed class TlsPortWait : IDisposable
{
    private readonly TlsPortClient _client;
    private readonly ClientQuota.Place _counted;
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _stopping;
    private readonly int _place;

    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    private TlsPortWait(TlsPortClient client, ClientQuota.Place counted, TimeSpan left, TimeProvider time)
    {
        _client = client;
        _counted = counted;
        _place = client.Loop.Add(client.Socket.SafeHandle, client);
        _timer = time.CreateTimer(static client => ((TlsPortClient)client!).LookAgain(), client, left, Timeout.InfiniteTimeSpan);
        _stopping = client.Port.Stopping.UnsafeRegister(static client => ((TlsPortClient)client!).LookAgain(), client);
    }

    /// <returns>Null when there is no room.</returns>
    public static TlsPortWait? TryBegin(TlsPortClient client, TimeSpan left, WaitingPeeks waiting, TimeProvider time)
    {
        if (!waiting.TryEnter(client.Origin, out var counted)) return null;
        try
        {
            return new TlsPortWait(client, counted, left, time);
        }
        catch (IOException)
        {
            counted.Dispose();
            return null;
        }
    }

    /// <summary>The client is looked at again after this time, if nothing comes before.</summary>
    public void SetTimeout(TimeSpan left) => _timer.Change(left, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _client.Loop.Remove(_client.Socket.SafeHandle, _place);
        _timer.Dispose();
        _stopping.Unregister();
        _counted.Dispose();
    }
}
