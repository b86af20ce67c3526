using System.Globalization;
using Piccolo.Core.Apps.Import.Inference;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Model;

/// <summary>What one import knows and collects.</summary>
internal sealed class ImportContext
{
    // All values together, once variables are filled in: enough for the largest honest file many times over.
    private const int MaxText = 1024 * 1024;

    private readonly OrderedDictionary<string, ImportQuestion> _questions = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, ImportMissingFile> _missing = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<(string, string), ImportGrant> _grants = [];
    private readonly IReadOnlyDictionary<string, string> _variables;
    private int _text;

    public ImportContext(ImportSource source)
    {
        Source = source;
        try
        {
            _variables = EnvironmentFile.Read(source.Environment ?? "").Values;
        }
        catch (FormatException)
        {
            throw new ImportFaultException(".env", 1, "The file has too many variables, or becomes too large once they are filled in.");
        }
        Words = new PlaceholderWords(_variables);
    }

    public ImportSource Source { get; }
    public ComposeReport Report { get; } = new();
    public ImportedApp App { get; } = new();
    public PlaceholderWords Words { get; }

    /// <summary>Of all services.</summary>
    public int VariableCount { get; set; }

    /// <summary>Names that a service gives to another one for itself.</summary>
    public List<(string Service, string Alias)> Links { get; } = [];

    /// <summary>Poor passwords of the environment file, and the secrets in their places.</summary>
    public Dictionary<string, string> Literals { get; } = new(StringComparer.Ordinal);

    public IEnumerable<ImportQuestion> Questions => _questions.Values;
    public IEnumerable<ImportMissingFile> MissingFiles => _missing.Values;
    public IEnumerable<ImportGrant> Grants => _grants.Values;

    /// <summary>Of the <c>.env</c> only: nothing of this device is looked at.</summary>
    public string? Value(string variable) => _variables.GetValueOrDefault(variable);

    /// <summary>A text with its variables filled in; what has no value is asked for.</summary>
    public string Text(string text, Field field) => Expand(text, field, asks: true, hasReferences: true);

    /// <summary>As <see cref="Text"/>, for what can hold no reference, such as images and paths.</summary>
    public string Plain(string text, Field field) => Expand(text, field, asks: true, hasReferences: false);

    /// <summary>As <see cref="Plain"/>, for what does not matter here, such as paths of the host: nothing is asked.</summary>
    public string Quiet(string text, Field field) => Expand(text, field, asks: false, hasReferences: false);

    /// <summary>A path of the host: what has no value stands for some folder.</summary>
    public string HostPath(string text, Field field)
    {
        try
        {
            return new Interpolation(Value, use => string.IsNullOrEmpty(use.Value) ? "." : use.Value).Expand(text);
        }
        catch (FormatException)
        {
            throw new ImportFaultException(field.Path, field.Line, "The path is too long.");
        }
    }

    /// <summary>The single value of a field, without variables of secrets; null for none, or another shape.</summary>
    public string? Single(Field field) => field.Value is ManifestNode.Scalar { IsNull: false } scalar ? Plain(scalar.Text, field).Trim() : null;

    public bool? Truth(Field field) => Single(field) is { } text ? ComposeValues.Truth(text) : null;

    public int? Whole(Field field) =>
        int.TryParse(Single(field), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public void Ask(string variable, Field field, bool isRequired)
    {
        if (!_questions.TryGetValue(variable, out var known)) _questions.Add(variable, new ImportQuestion(variable, field.Path, field.Line, isRequired));
        else if (isRequired && !known.IsRequired) _questions[variable] = known with { IsRequired = true };
        Report.Add(field, ImportVerdict.Asked, $"'{Shown(variable)}' has no value: add it to the environment file.");
    }

    public void Missing(string file, Field field, string sentence)
    {
        if (_missing.Count < ImportSource.MaxCompanions) _missing.TryAdd(file, new ImportMissingFile(Shown(file), field.Path, field.Line, sentence));
    }

    /// <param name="isConfirmed">Whether the owner has to confirm it.</param>
    public void Grant(ServicePlan service, string name, Field field, bool isConfirmed, string sentence)
    {
        _grants.TryAdd((service.Name, name), new ImportGrant(service.Name, name, field.Path, field.Line, isConfirmed, sentence));
        Report.Add(field, ImportVerdict.Asked, sentence);
    }

    /// <summary>A companion file by its path in the compose file's folder; null where it did not come.</summary>
    public string? Companion(string path)
    {
        var name = path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
        return Source.Companions.GetValueOrDefault(name) ?? (name == ".env" ? Source.Environment : null);
    }

    /// <summary>A name or a path as it may stand in a sentence.</summary>
    public static string Shown(string text) => new([.. text.Take(120).Select(c => char.IsControl(c) ? '?' : c)]);

    private string Expand(string text, Field field, bool asks, bool hasReferences)
    {
        string expanded;
        try
        {
            expanded = new Interpolation(Value, Written).Expand(text);
        }
        catch (FormatException)
        {
            throw new ImportFaultException(field.Path, field.Line, "The value is too long, or becomes so once its variables are filled in.");
        }
        if ((_text += expanded.Length) > MaxText)
            throw new ImportFaultException(field.Path, field.Line, "The file becomes too large once its variables are filled in.");
        return hasReferences ? expanded : References.Without(expanded);

        string Written(VariableUse use)
        {
            if (use.Name is "TZ" or "TIME_ZONE" or "TIMEZONE" && use.Value is null or "" or "UTC" or "Etc/UTC") return References.TimeZone;
            if (use.Name is "PUID" or "PGID" or "UID" or "GID" && use.Value is null or "") return "1000";
            if (hasReferences && SecretNames.IsGenerated(use.Name) && (string.IsNullOrEmpty(use.Value) ? !use.HasDefault || SecretNames.IsPassword(use.Name)
                : Words.IsPlaceholder(use.Value, use.Name)) && SecretNames.Plan(this, use.Name, use.Value ?? "") is { } secret)
                return References.Secret(secret);
            if (use.Value is null && asks && !(hasReferences && AddressNames.IsOwnAddress(use.Name))) Ask(use.Name, field, use.IsRequired);
            return use.Value ?? "";
        }
    }
}
