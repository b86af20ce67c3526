using Microsoft.Extensions.Options;

namespace Piccolo.Core.Leadership;

/// <summary>Who decides which node leads.</summary>
public enum LeadershipMode
{
    /// <summary>This node leads everything.</summary>
    Single,

    /// <summary>A watched JSON file says so: manual fail-over, and tests.</summary>
    File,
}

/// <summary>Configuration section <c>Piccolo:Leadership</c>: which node leads.</summary>
public sealed class LeadershipOptions
{
    public const string Section = "Piccolo:Leadership";

    /// <summary><c>single</c>: this node leads everything. <c>file</c>: a watched JSON file names the roles.</summary>
    public LeadershipMode Mode { get; set; } = LeadershipMode.Single;

    /// <summary>The watched file of mode <c>file</c>; its folder must exist.</summary>
    public string? File { get; set; }
}

internal sealed class LeadershipOptionsValidator : IValidateOptions<LeadershipOptions>
{
    public ValidateOptionsResult Validate(string? name, LeadershipOptions options)
    {
        if (options.Mode != LeadershipMode.File) return ValidateOptionsResult.Success;
        if (string.IsNullOrWhiteSpace(options.File)) return ValidateOptionsResult.Fail("Piccolo:Leadership:File is needed when Mode is 'file'.");
        return Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(options.File)))
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"The folder of Piccolo:Leadership:File ({options.File}) does not exist.");
    }
}
