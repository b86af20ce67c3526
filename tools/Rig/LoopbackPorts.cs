namespace Piccolo.Rig;

/// <summary>Free loopback ports for programs that cannot choose one by themselves.</summary>
public static class LoopbackPorts
{
    private static readonly Lock Gate = new();
    private static readonly List<PortLease> Leases = [];
    private static int _used = PortLease.Size;

    /// <summary>As many different ports as asked for, each given once in the life of this process; free at this moment, for TCP and UDP.</summary>
    /// <exception cref="InvalidOperationException">There are no more.</exception>
    public static int[] Free(int count)
    {
        lock (Gate)
        {
            var ports = new List<int>(count);
            while (ports.Count < count)
            {
                if (_used == PortLease.Size)
                {
                    Leases.Add(PortLease.Take());
                    _used = 0;
                }
                var port = Leases[^1].First + _used++;
                if (PortLease.IsFree(port)) ports.Add(port);
            }
            return [.. ports];
        }
    }
}
