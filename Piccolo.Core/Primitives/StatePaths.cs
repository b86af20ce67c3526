namespace Piccolo.Core.Primitives;

/// <summary>Where everything that the daemon writes lies, below one folder of mode 0700.</summary>
public sealed class StatePaths
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public StatePaths(string root)
    {
        Root = Path.GetFullPath(root);
        Directory.CreateDirectory(Root, OwnerOnly);
        // Only where it differs: a read-only file system refuses even the mode that is there.
        if (File.GetUnixFileMode(Root) != OwnerOnly) File.SetUnixFileMode(Root, OwnerOnly);
    }

    public string Root { get; }

    /// <summary>The data key, sealed by the password. Without this file the store cannot be read by anybody.</summary>
    public string KeySet => Path.Combine(Root, "keyset.json");

    /// <summary>The control store: SQLite with sealed rows.</summary>
    public string ControlStore => Path.Combine(Root, "control.db");

    /// <summary>A revision that the control store is known to have reached.</summary>
    public string ControlStoreAnchor => Path.Combine(Root, "control.anchor");

    /// <summary>Sealed copies of the control store, made before migrations and daily.</summary>
    public string Snapshots => Path.Combine(Root, "snapshots");

    /// <summary>Export files, ready for download.</summary>
    public string Exports => Path.Combine(Root, "exports");

    /// <summary>The apps' encrypted volumes: a folder each, of ciphertext only.</summary>
    public string Volumes => Path.Combine(Root, "volumes");

    /// <summary>Where the volumes are mounted. Apart from them, so that whoever copies the volumes never copies what is open.</summary>
    public string Mounts => Path.Combine(Root, "mounts");

    /// <summary>A random name of this installation, so that two appliances on one machine never touch each other's containers.</summary>
    public string InstanceId => Path.Combine(Root, "instance-id");

    /// <summary>Held by the one daemon that may use this folder.</summary>
    public string InUse => Path.Combine(Root, "in-use");

    /// <summary>The latest time that this device is known to have lived through.</summary>
    public string Clock => Path.Combine(Root, "clock");

    /// <summary>How heavy the relay's session is while one is open.</summary>
    public string TunnelWeight => Path.Combine(Root, "tunnel-weight");

    /// <summary>What the device needs before anybody unlocks it; 0700.</summary>
    public string Device => Path.Combine(Root, "device");
}
