using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text;
using RangeAttribute = System.ComponentModel.DataAnnotations.RangeAttribute;

namespace Piccolo.Tests.Architecture.Pages;

/// <summary>
/// The tables of <c>docs/owner/settings.md</c>, made from the option classes: key, type with its limits, default, and the property's doc comment.
/// </summary>
internal static class SettingsPage
{
    public const string Begin = "<!-- settings: made by ./dev settings -->\n";
    public const string End = "<!-- /settings -->\n";

    private const string None = "–";

    /// <summary>Settings that owners do not need.</summary>
    public static readonly Dictionary<string, string> LeftOut = new()
    {
        ["Nexus:AllowInsecureLoopback"] = "lets tests talk to a relay on loopback without TLS",
        ["Nexus:AllowPrivateClientAddresses"] = "lets tests and the demo, whose visitors are on loopback, keep their addresses",
        ["Remote:ProbePorts"] = "lets tests and the demo dial a relay that has no low ports",
    };

    private static readonly Assembly[] Product = [typeof(Piccolo.Core.Health.HealthTracker).Assembly, typeof(Piccolo.Api.Platform.ApplianceOptions).Assembly];

    private static readonly XmlComments Comments = new(Product);

    /// <summary>Every setting of the product, those that are left out too, by section.</summary>
    public static IReadOnlyList<(string Section, string Meaning, Setting[] Settings)> Sections() =>
    [
        .. from assembly in Product
           from type in assembly.GetTypes()
           let section = type.GetField("Section", BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)?.GetRawConstantValue() as string
           where section is not null && type.Name.EndsWith("Options", StringComparison.Ordinal)
           group type by section into types
           orderby types.Key
           let meaning = types.Select(Comments.Of).Select(c => c.Split($"`{types.Key}`: ")).First(c => c.Length == 2)[1]
           select (types.Key, Sentence(meaning), types.SelectMany(t => Read(t, Activator.CreateInstance(t, nonPublic: true)!, Below(types.Key), "")).ToArray()),
    ];

    public static string Tables()
    {
        var page = new StringBuilder();
        foreach (var (section, meaning, settings) in Sections())
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {section}\n\n{meaning}\n\n| key | type | default | meaning |\n|---|---|---|---|\n");
            foreach (var s in settings.Where(s => !LeftOut.ContainsKey(s.Key)))
                page.Append(CultureInfo.InvariantCulture, $"| `{s.Key}` | {s.Type} | {s.Default} | {s.Meaning} |\n");
        }
        return page.Append('\n').ToString();
    }

    private static IEnumerable<Setting> Read(Type type, object options, string prefix, string above)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).OrderBy(p => p.MetadataToken))
        {
            var (value, comment) = (property.GetValue(options), Comments.Of(property));
            var meaning = $"{above} {comment}".Trim();
            if (!Product.Contains(property.PropertyType.Assembly) || property.PropertyType.IsEnum)
                yield return new Setting(prefix + property.Name, TypeOf(property), DefaultOf(value), comment.Length == 0 ? "" : meaning);
            else
                foreach (var below in Read(property.PropertyType, value!, $"{prefix}{property.Name}:", comment)) yield return below;
        }
    }

    /// <summary>Keys of the page begin below <c>Piccolo</c>.</summary>
    private static string Below(string section) => section == "Piccolo" ? "" : section["Piccolo:".Length..] + ":";

    private static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static string TypeOf(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (property.GetCustomAttribute<AllowedValuesAttribute>() is { } allowed) return string.Join(", ", allowed.Values.Select(v => $"`{v}`"));
        if (type.IsEnum) return string.Join(", ", Enum.GetNames(type).Select(n => $"`{n.ToLowerInvariant()}`"));
        var range = property.GetCustomAttribute<RangeAttribute>();
        if (type == typeof(TimeSpan)) return range is null ? "time" : $"time, {Time(range.Minimum)} to {Time(range.Maximum)}";
        if (type == typeof(int) || type == typeof(long)) return range is null ? "number" : $"number, {Number(range.Minimum)} {UpTo(range.Maximum)}";
        if (type == typeof(bool)) return "`true`, `false`";
        if (type == typeof(string)) return "text";
        if (type == typeof(Uri)) return "URL";
        if (type == typeof(IList<string>)) return "list";
        return type == typeof(IDictionary<int, int>) ? "map" : throw new NotSupportedException($"The settings page has no name for {type}.");
    }

    private static string UpTo(object maximum) => maximum switch { double.MaxValue or long.MaxValue or >= 9e18 => "or more", _ => $"to {Number(maximum)}" };

    private static string DefaultOf(object? value) => value switch
    {
        null or "" or ICollection { Count: 0 } => None,
        TimeSpan time => Span(time),
        int or long => Number(value),
        bool or Enum => $"`{value.ToString()!.ToLowerInvariant()}`",
        _ => $"`{value}`",
    };

    private static string Time(object limit) => Span(TimeSpan.Parse((string)limit, CultureInfo.InvariantCulture));

    /// <summary>In the largest unit that needs no fraction.</summary>
    private static string Span(TimeSpan time) => time switch
    {
        { TotalDays: >= 1 } when time.TotalHours % 24 == 0 => time.TotalDays == 1 ? "1 day" : $"{Number(time.TotalDays)} days",
        { TotalHours: >= 1 } when time.TotalMinutes % 60 == 0 => $"{Number(time.TotalHours)} h",
        { TotalMinutes: >= 1 } when time.TotalSeconds % 60 == 0 => $"{Number(time.TotalMinutes)} min",
        _ => $"{Number(time.TotalSeconds)} s",
    };

    private static string Number(object number) => Convert.ToDouble(number, CultureInfo.InvariantCulture).ToString("0.###", CultureInfo.InvariantCulture);
}

/// <param name="Key">Below <c>Piccolo</c>.</param>
/// <param name="Type">In the owner's words, with the limits.</param>
/// <param name="Meaning">Empty where the property has no doc comment.</param>
internal sealed record Setting(string Key, string Type, string Default, string Meaning);
