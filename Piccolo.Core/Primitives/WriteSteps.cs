namespace Piccolo.Core.Primitives;

/// <summary>Where durable writes say how far they are. Nobody listens, except a test that ends its own process at one step.</summary>
internal static class WriteSteps
{
    /// <summary>Called with the step and the path of the file or folder as it will be named in the end. Set before the first write, then never again.</summary>
    public static Action<WriteStep, string>? Listener { get; set; }

    public static void Reached(WriteStep step, string path) => Listener?.Invoke(step, path);
}
