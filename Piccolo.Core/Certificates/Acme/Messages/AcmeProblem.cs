using System.Collections.Immutable;
using System.Text;

namespace Piccolo.Core.Certificates.Acme.Messages;

/// <summary>A problem document of the CA (RFC 7807; RFC 8555, 6.7), with its words cleaned and cut.</summary>
/// <param name="Type">The part behind <c>urn:ietf:params:acme:error:</c>, or the whole type where it is of another family.</param>
internal sealed record AcmeProblem(string Type, string Detail, int? Status, string? Identifier, ImmutableArray<AcmeProblem> Subproblems)
{
    /// <summary>Where the owner is to go, for instance to agree to new terms (RFC 8555, 7.3.3).</summary>
    public string? Instance { get; init; }

    public const string TypePrefix = "urn:ietf:params:acme:error:";
    public const int MaxDetailLength = 500;
    public const int MaxSubproblems = 20;

    public static AcmeProblem From(ProblemMessage message) => From(message, depth: 0);

    /// <summary>Detail and subproblems in one line.</summary>
    public string Sentence => Subproblems.IsEmpty
        ? Detail
        : Clean($"{Detail} {string.Join("; ", Subproblems.Select(s => s.Identifier is null ? s.Detail : $"{s.Identifier}: {s.Detail}"))}", MaxDetailLength * 2);

    /// <summary>The type as a stable code: <c>rejectedIdentifier</c> is <c>rejected_identifier</c>.</summary>
    public string Code
    {
        get
        {
            var code = new StringBuilder();
            var before = ' ';
            foreach (var c in Type.Take(60))
            {
                if (char.IsAsciiLetterUpper(c) && char.IsAsciiLetterLower(before)) code.Append('_');
                before = c;
                code.Append(char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_');
            }
            return code.Length == 0 ? "unknown" : code.ToString();
        }
    }

    /// <summary>A stranger's text as one line without control characters, cut at <paramref name="maxLength"/>.</summary>
    public static string Clean(string? text, int maxLength = MaxDetailLength)
    {
        var line = new StringBuilder();
        foreach (var c in (text ?? "").Take(maxLength + 1)) line.Append(char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c);
        if (line.Length > maxLength) line.Length = maxLength;
        return line.ToString().Trim();
    }

    private static AcmeProblem From(ProblemMessage message, int depth)
    {
        var type = Clean(message.Type, 200);
        if (type.StartsWith(TypePrefix, StringComparison.OrdinalIgnoreCase)) type = type[TypePrefix.Length..];
        var detail = Clean(message.Detail) is { Length: > 0 } words ? words : Clean(message.Title);
        ImmutableArray<AcmeProblem> below = depth > 0
            ? []
            : [.. (message.Subproblems ?? []).Where(s => s is not null).Take(MaxSubproblems).Select(s => From(s!, depth + 1))];
        return new AcmeProblem(type, detail, message.Status, message.Identifier?.Value is { } name ? Clean(name, 253) : null, below)
        {
            Instance = Uri.TryCreate(message.Instance, UriKind.Absolute, out var link) && link.Scheme == Uri.UriSchemeHttps ? Clean(message.Instance) : null,
        };
    }
}
