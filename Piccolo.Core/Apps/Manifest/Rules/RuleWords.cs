using FluentValidation;
using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>What rules are made of.</summary>
internal static class RuleWords
{
    /// <summary>The field's name in the text.</summary>
    public static IRuleBuilderInitial<T, TValue> As<T, TValue>(this IRuleBuilderInitial<T, TValue> rule, string name) =>
        rule.Configure(r => r.PropertyName = name);

    public static IRuleBuilderInitialCollection<T, TValue> As<T, TValue>(this IRuleBuilderInitialCollection<T, TValue> rule, string name) =>
        rule.Configure(r => r.PropertyName = name);

    // By name only: the runtime's own parser would also take the enum's numbers.
    public static bool IsNullOrOneOf<T>(string? text) where T : struct, Enum =>
        text is null || Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase);

    public static bool Is<T>(string? text, T value) where T : struct, Enum => string.Equals(text, value.ToString(), StringComparison.OrdinalIgnoreCase);

    public static bool IsNullOrSize(string? text, long min, long max) =>
        text is null || (ResourceSizes.TryParseBytes(text, out var bytes) && bytes >= min && bytes <= max);

    public static bool IsNullOrDuration(string? text, TimeSpan min, TimeSpan max) =>
        text is null || (Durations.TryParse(text, out var duration) && duration >= min && duration <= max);
}
