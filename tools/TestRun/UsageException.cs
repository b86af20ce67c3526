namespace Piccolo.TestRun;

/// <summary>An option that does not exist, or has no value.</summary>
internal sealed class UsageException(string message) : Exception(message);
