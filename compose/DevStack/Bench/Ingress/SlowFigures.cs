using System.Globalization;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>What slow clients have done so far.</summary>
/// <param name="CameBack">How often one went and came back.</param>
/// <param name="CutOff">How often one was cut off before its time.</param>
internal readonly record struct SlowFigures(long Bytes, int CameBack, int CutOff)
{
    /// <summary>What every line of them begins with.</summary>
    public const string Mark = "slow-hellos ";

    public string ToLine() => string.Create(CultureInfo.InvariantCulture, $"{Mark}{Bytes} {CameBack} {CutOff}");

    /// <exception cref="FormatException">That is no such line.</exception>
    public static SlowFigures Parse(string line)
    {
        if (!line.StartsWith(Mark, StringComparison.Ordinal)) throw new FormatException($"No figures of slow clients: {line}");
        var numbers = line[Mark.Length..].Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new SlowFigures(numbers[0], (int)numbers[1], (int)numbers[2]);
    }
}
