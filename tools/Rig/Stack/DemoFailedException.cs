namespace Piccolo.Rig.Stack;

/// <summary>The demo could not show what it promised; the message is the sentence that names the cause.</summary>
public sealed class DemoFailedException(string message) : Exception(message);
