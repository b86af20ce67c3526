namespace Piccolo.Core.Primitives;

/// <summary>The environment as native libraries of this process see it; <see cref="Environment"/> keeps a copy of its own.</summary>
public static class NativeEnvironment
{
    /// <summary>Leaves alone what is set already.</summary>
    public static void SetDefault(string name, string value)
    {
        if (Posix.SetEnv(name, value, overwrite: 0) != 0) throw new InvalidOperationException($"The environment variable {name} could not be set.");
    }
}
