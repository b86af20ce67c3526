namespace Piccolo.Core.Remote.Checks;

public enum PreflightStatus
{
    Pass,

    /// <summary>Works, but not as it should; or could not be judged.</summary>
    Warn,

    /// <summary>Nobody will be served, or no certificate comes, before this is fixed.</summary>
    Fail,
}

/// <summary>One thing that must be right before strangers can be served.</summary>
/// <param name="Id"><c>names</c>, <c>dns</c>, <c>caa</c>, <c>port_80</c>, <c>clock</c> or <c>tunnel</c>.</param>
/// <param name="Host">The name that it is about; null when it is about all.</param>
public sealed record PreflightCheck(string Id, string Name, string? Host, PreflightStatus Status, string Detail, string? NextStep = null);
