namespace Piccolo.Core.Primitives;

/// <summary>How far a durable write is; a test can end the process at each.</summary>
internal enum WriteStep
{
    /// <summary>The temporary file exists and is empty.</summary>
    TemporaryCreated,

    /// <summary>The temporary file, or the folder, has its content; the disk may not have it.</summary>
    Written,

    /// <summary>The disk has the content, under the temporary name.</summary>
    Flushed,

    /// <summary>The content has its final name; the disk may not know that name.</summary>
    Renamed,

    /// <summary>The disk has the content under its final name.</summary>
    Durable,
}

/// <summary>Where durable writes say how far they are. Nobody listens, except a test that ends its own process at one step.</summary>
internal static class WriteSteps
{
    /// <summary>Called with the step and the path of the file or folder as it will be named in the end. Set before the first write, then never again.</summary>
    public static Action<WriteStep, string>? Listener { get; set; }

    public static void Reached(WriteStep step, string path) => Listener?.Invoke(step, path);
}
