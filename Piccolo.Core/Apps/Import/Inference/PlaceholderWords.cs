using System.Text.RegularExpressions;

namespace Piccolo.Core.Apps.Import.Inference;

/// <summary>Tells values that somebody was meant to replace from values that somebody chose.</summary>
/// <param name="variables">Of the environment file: the names of users and databases in it make poor passwords.</param>
internal sealed partial class PlaceholderWords(IReadOnlyDictionary<string, string> variables)
{
    // What remains of a poor password without these.
    private const int MaxRest = 2;
    private const int MaxNames = 64;

    private static readonly string[] Common =
    [
        "password", "passwort", "passwd", "pass", "secret", "admin", "root", "user", "token", "super", "strong", "secure", "insecure", "default", "test",
        "demo",
        "docker", "compose", "my", "key", "hunter", "qwerty", "foobar", "foo", "bar", "database", "db", "postgres", "postgresql", "mysql", "mariadb", "mongo",
        "redis", "not", "12345678", "123456", "1234", "123",
    ];

    private static readonly string[] Asking =
    [
        "change", "replace", "example", "your", "insert", "placeholder", "todo", "fixme", "generate", "openssl", "random", "enter", "putyour", "fillin",
    ];

    private readonly List<string> _names =
        [.. variables.Where(v => IsUserOrDatabase(v.Key)).Select(v => Plain(v.Value)).Where(v => v.Length is > 2 and < 40).Distinct().Take(MaxNames)];

    /// <summary>One more name of a user or a database of the app.</summary>
    public void Know(string variable, string value)
    {
        if (_names.Count < MaxNames && IsUserOrDatabase(variable) && Plain(value) is { Length: > 2 and < 40 } name) _names.Add(name);
    }

    /// <param name="variable">The variable that has the value.</param>
    public bool IsPlaceholder(string value, string variable)
    {
        if (value.Length > 128) return false;
        var plain = Plain(value);
        // What has neither a digit nor a capital letter is what its author wrote down, not what somebody chose.
        if (value.Length <= 16 && SecretNames.IsPassword(variable) && value.All(char.IsAsciiLetterLower)) return true;
        if (plain.Length == 0 || plain.Distinct().Count() == 1 || value.StartsWith('<') || value.StartsWith("${", StringComparison.Ordinal)) return true;
        if (Asking.Any(word => plain.Contains(word, StringComparison.Ordinal))) return true;
        if (plain == Plain(variable)) return true;
        foreach (var name in _names) plain = plain.Replace(name, "", StringComparison.Ordinal);
        foreach (var word in Common) plain = plain.Replace(word, "", StringComparison.Ordinal);
        return plain.Length <= MaxRest;
    }

    private static string Plain(string text) => new([.. text.ToLowerInvariant().Where(char.IsLetterOrDigit)]);

    private static bool IsUserOrDatabase(string variable) => UserPattern().IsMatch(variable);

    [GeneratedRegex("(?:USER|USERNAME|DB|DATABASE|NAME)$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex UserPattern();
}
