using System.Diagnostics;

namespace Piccolo.Core.Primitives;

/// <summary>Where the product's own spans come from: commits, orders, handshakes, starts of apps, unlocks and locks. Costs nothing while nobody listens.</summary>
public static class Traces
{
    public static readonly ActivitySource Source = new("Piccolo.Core");
}
