namespace Piccolo.Bench.Ingress;

/// <summary>How many have been served so far.</summary>
internal sealed class Served
{
    private long _count;

    public long Count => Volatile.Read(ref _count);

    public void One() => Interlocked.Increment(ref _count);
}
