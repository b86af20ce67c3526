using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Piccolo.Core.Apps.Import.Reading;

/// <summary>Where a key stands in the compose file, as the report names it. Two keys never have the same path.</summary>
internal static partial class ComposePath
{
    /// <summary>The path of what is said of the file as a whole.</summary>
    public const string Document = "compose";

    public static string Join(string parent, string key) =>
        PlainPattern().IsMatch(key) ? (parent.Length == 0 ? key : $"{parent}.{key}") : $"{parent}[{JsonSerializer.Serialize(key)}]";

    public static string Item(string parent, int index) => string.Create(CultureInfo.InvariantCulture, $"{parent}[{index}]");

    [GeneratedRegex(@"^(?:[A-Za-z0-9_-]+|<<)\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainPattern();
}
