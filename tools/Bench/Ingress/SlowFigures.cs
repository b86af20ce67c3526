using System.Globalization;

namespace Piccolo.Bench.Ingress;

/// <summary>What slow clients have done so far.</summary>
/// <param name="CameBack">How often one went and came back.</param>
/// <param name="CutOff">How often one was cut off before its time, or not let in.</param>
internal readonly record struct SlowFigures(long Bytes, long CameBack, long CutOff)
{
    /// <summary>What their answer to an order begins with.</summary>
    /// <param name="order">Its number, from 1.</param>
    public static string Mark(int order) => string.Create(CultureInfo.InvariantCulture, $"slow-hellos {order}: ");

    public string ToLine(int order) => string.Create(CultureInfo.InvariantCulture, $"{Mark(order)}{Bytes} {CameBack} {CutOff}");

    /// <exception cref="FormatException">That is no such line.</exception>
    public static SlowFigures Parse(int order, string line)
    {
        if (!line.StartsWith(Mark(order), StringComparison.Ordinal)) throw new FormatException($"No figures of slow clients: {line}");
        var numbers = line[Mark(order).Length..].Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new SlowFigures(numbers[0], numbers[1], numbers[2]);
    }
}
