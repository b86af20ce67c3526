namespace Piccolo.TestRun.Results;

/// <summary>A result file that is missing or cut off; the message is a sentence for the reader.</summary>
internal sealed class TornResultsException(string message) : Exception(message);
