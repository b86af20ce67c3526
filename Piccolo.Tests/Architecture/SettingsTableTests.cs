using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>The table of settings that owners read, against the option classes: each key is there, with the default that the page tells.</summary>
internal sealed partial class SettingsTableTests
{
    private const string None = "–";

    /// <summary>Defaults that the page tells in words, as they are in code.</summary>
    private static readonly Dictionary<string, string> InWords = new()
    {
        ["Acme:DirectoryUrl"] = "https://acme-v02.api.letsencrypt.org/directory",
        ["Acme:Profile"] = None,
        ["Acme:PreferredRoot"] = None,
        ["Ingress:AllowedNetworks"] = None,
        ["Leadership:File"] = None,
        ["Remote:ProbeResolver"] = None,
        ["Remote:CaaIdentities"] = None,
        ["Remote:PublicSuffixFile"] = "/usr/share/publicsuffix/public_suffix_list.dat",
    };

    private static readonly (string Key, string Default)[] Documented = [.. Rows().SelectMany(Settings)];

    private static readonly Dictionary<string, object[]> Sections = (
        from assembly in new[] { typeof(Piccolo.Core.Health.HealthTracker).Assembly, typeof(Piccolo.Api.Platform.ApplianceOptions).Assembly }
        from type in assembly.GetTypes()
        let section = type.GetField("Section", BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)?.GetRawConstantValue() as string
        where section is not null && type.Name.EndsWith("Options", StringComparison.Ordinal)
        group Activator.CreateInstance(type, nonPublic: true)! by section).ToDictionary(g => g.Key, g => g.ToArray());

    [Test]
    public void Keys_OnThePage_AreThereWithTheDefaultThatItTells()
    {
        Assert.That(Documented, Has.Length.GreaterThan(60));
        Assert.That(Documented.Select(Wrong).Where(w => w is not null), Is.Empty);
    }

    [Test]
    public void Defaults_InWords_AreOfKeysOnThePage() => Assert.That(InWords.Keys.Except(Documented.Select(d => d.Key)), Is.Empty);

    private static string? Wrong((string Key, string Default) documented)
    {
        var (key, told) = (documented.Key, InWords.GetValueOrDefault(documented.Key, documented.Default));
        if (!TryFind(key, out var value)) return $"{key} is no setting";
        var spellings = Spellings(value).ToList();
        return spellings.Contains(told) ? null : $"{key} is {string.Join(" or ", spellings)}, not {told}";
    }

    private static bool TryFind(string key, out object? value)
    {
        var parts = key.Split(':');
        foreach (var options in Sections.GetValueOrDefault(parts.Length == 1 ? "Piccolo" : "Piccolo:" + parts[0], []))
        {
            value = options;
            foreach (var name in parts.Skip(parts.Length == 1 ? 0 : 1))
            {
                // Whatever lies below a dictionary is the owner's to name.
                if (value is IDictionary) break;
                var property = value?.GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance);
                value = property is null ? DBNull.Value : property.GetValue(value);
                if (property is null) break;
            }
            if (value is not DBNull) return true;
        }
        value = null;
        return false;
    }

    private static IEnumerable<string> Spellings(object? value)
    {
        switch (value)
        {
            case null or "" or ICollection { Count: 0 }:
                yield return None;
                break;
            case TimeSpan time:
                if (time.TotalDays >= 1 && time.TotalDays % 1 == 0) yield return time.TotalDays == 1 ? "1 day" : Number(time.TotalDays, " days");
                if (time.TotalHours >= 1 && time.TotalHours % 1 == 0) yield return Number(time.TotalHours, " h");
                if (time.TotalMinutes >= 1 && time.TotalMinutes % 1 == 0) yield return Number(time.TotalMinutes, " min");
                yield return Number(time.TotalSeconds, " s");
                break;
            case int or long:
                var number = Convert.ToInt64(value, CultureInfo.InvariantCulture);
                yield return Number(number, "");
                yield return Number(number, " bytes/s");
                if (number % (1L << 10) == 0) yield return Number(number >> 10, " KiB");
                if (number % (1L << 30) == 0) yield return Number(number >> 30, " GiB");
                break;
            case bool or Enum:
                yield return value.ToString()!.ToLowerInvariant();
                break;
            default:
                yield return value.ToString()!;
                break;
        }
    }

    private static string Number(double number, string unit) => number.ToString(CultureInfo.InvariantCulture) + unit;

    /// <summary>The cells of the page's first table below its title.</summary>
    private static IEnumerable<string[]> Rows() => File.ReadAllLines(Repository.File("docs/operations.md"))
        .SkipWhile(l => l != "## Settings").Skip(1).TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal))
        .Where(l => l.StartsWith("| `", StringComparison.Ordinal) && !l.Contains("(without prefix)", StringComparison.Ordinal))
        .Select(l => l.Trim('|', ' ').Split(" | "));

    /// <summary>One row may tell of several keys, the later ones by their last part, with one default for each or one for all.</summary>
    private static IEnumerable<(string Key, string Default)> Settings(string[] row)
    {
        var names = Code().Matches(row[0]).Select(m => m.Groups[1].Value).ToList();
        var above = names[0][..Math.Max(0, names[0].LastIndexOf(':'))];
        // "…:X" is X beside the first; "…" at the end stands for both parts of a limit.
        var keys = names.Select(n => n.StartsWith("…:", StringComparison.Ordinal) ? $"{above}:{n[2..]}" : n)
            .SelectMany(k => k.EndsWith(":…", StringComparison.Ordinal) ? [k[..^1] + "Count", k[..^1] + "Period"] : (string[])[k]).ToList();
        var told = Aside().Replace(row[1], "").Replace("`", "", StringComparison.Ordinal);
        var defaults = told.Split([", ", " in "], StringSplitOptions.TrimEntries);
        return keys.Select((key, i) => (key, defaults.Length == keys.Count ? defaults[i] : told));
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\s*\([^)]*\)")]
    private static partial Regex Aside();
}
