namespace Piccolo.Core.Listeners;

/// <summary>
/// Picks ports from one range: the lowest that no listener keeps and that can be bound now. Holds no state, so that nothing can leak: who is taken is
/// asked again each time.
/// </summary>
/// <param name="canBind">Whether the port can be bound at this moment. A port that it refuses is passed over, not remembered.</param>
public sealed class PortAllocator(PortRange range, Func<int, bool> canBind)
{
    /// <summary>How many busy ports are tried before giving up, so that a hostile neighbour cannot make one request cost ten thousand binds.</summary>
    public const int MaxBindTests = 512;

    public bool CanBind(int port) => canBind(port);

    /// <returns>The port, or null when the range is exhausted.</returns>
    public int? Allocate(IReadOnlySet<int> taken)
    {
        var tests = 0;
        for (var port = range.First; port <= range.Last && tests < MaxBindTests; port++)
        {
            if (taken.Contains(port)) continue;
            if (canBind(port)) return port;
            tests++;
        }
        return null;
    }
}

/// <summary>The two allocators that a listener's two ports come from.</summary>
public sealed record ListenerPorts(PortAllocator Guard, PortAllocator Public)
{
    public static ListenerPorts FromOptions(ListenerPortOptions options) => new(
        new PortAllocator(PortRange.Parse(options.GuardPorts), PortProbe.CanBindLoopback),
        new PortAllocator(PortRange.Parse(options.PublicPorts), PortProbe.CanBindAny));
}
