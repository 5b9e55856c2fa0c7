import "@missing/package";
