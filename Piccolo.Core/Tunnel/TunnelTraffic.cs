namespace Piccolo.Core.Tunnel;

/// <summary>Payload bytes of all sessions since the process started. Thread-safe.</summary>
internal sealed class TunnelTraffic
{
    private long _in;
    private long _out;

    public long In => Interlocked.Read(ref _in);

    public long Out => Interlocked.Read(ref _out);

    public void AddIn(int bytes) => Interlocked.Add(ref _in, bytes);

    public void AddOut(int bytes) => Interlocked.Add(ref _out, bytes);
}
