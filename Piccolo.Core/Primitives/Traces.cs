using System.Diagnostics;

namespace Piccolo.Core.Primitives;

/// <summary>The source of the product's own spans: commits, orders, handshakes, starts of apps, unlocks and locks. Free while nobody listens.</summary>
public static class Traces
{
    public static readonly ActivitySource Source = new("Piccolo.Core");
}
