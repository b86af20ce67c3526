Console.Error.WriteLine("DevRelay: nothing here yet");
return 1;
