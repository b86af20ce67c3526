using System.Globalization;

namespace Piccolo.Core.Listeners;

/// <summary>Ports from <see cref="First"/> to <see cref="Last"/>, both included. Text form <c>15000-25000</c>.</summary>
public readonly record struct PortRange(int First, int Last)
{
    public int Count => Last - First + 1;

    public static bool TryParse(string? text, out PortRange range)
    {
        range = default;
        var parts = text?.Split('-');
        if (parts is not [var from, var to]) return false;
        if (!ushort.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var first)) return false;
        if (!ushort.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var last)) return false;
        if (first == 0 || last < first) return false;
        range = new PortRange(first, last);
        return true;
    }

    public static PortRange Parse(string text) =>
        TryParse(text, out var range) ? range : throw new FormatException($"'{text}' is not a range of ports such as 15000-25000.");

    public bool Contains(int port) => port >= First && port <= Last;

    public bool Overlaps(PortRange other) => First <= other.Last && other.First <= Last;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");
}
